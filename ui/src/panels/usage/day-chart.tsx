import { useId } from "react";
import { useTranslation } from "react-i18next";
import { count, dollars } from "@/lib/quantity";
import { roundStep } from "./days";
import type { Sum } from "./queries";

const WIDTH = 700;
const HEIGHT = 200;
const LEFT = 64;
const BOTTOM = 22;
const TOP = 8;
const STEPS = 4;

type DayChartProps = {
  /** Every date of the span, with its sum where something was used. */
  days: ReadonlyArray<{ date: string; sum: Sum | null }>;
  measure: "tokens" | "cost";
};

/** Columns by day. The table below it says the same in figures. */
export function DayChart({ days, measure }: DayChartProps) {
  const { t, i18n } = useTranslation();
  const id = useId();
  const amountOf = (sum: Sum | null) =>
    sum === null ? 0 : measure === "tokens" ? sum.total_tokens : (sum.cost_usd ?? 0);
  const show = (value: number) =>
    measure === "tokens" ? count(value, i18n.language) : dollars(value, i18n.language);
  const highest = Math.max(...days.map(({ sum }) => amountOf(sum)));
  const step = roundStep(highest, STEPS);
  const top = Math.max(step, Math.ceil(highest / step) * step);
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const column = (WIDTH - LEFT) / Math.max(1, days.length);
  const bar = Math.max(2, Math.min(40, column * 0.7));
  const dayName = (date: string) =>
    new Date(`${date}T12:00:00`).toLocaleDateString(i18n.language, { day: "numeric", month: "short" });
  // As many dates as have room beside each other.
  const every = Math.ceil(days.length / 8);
  const most = days.reduce(
    (best, day) => (amountOf(day.sum) > amountOf(best.sum) ? day : best),
    days[0] ?? { date: "", sum: null },
  );
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-labelledby={`${id}-title ${id}-text`}
      className="h-auto w-full text-muted-foreground"
    >
      <title id={`${id}-title`}>{t(`usage.chart.${measure}`)}</title>
      <desc id={`${id}-text`}>
        {t("usage.chart.text", {
          count: days.length,
          first: dayName(days[0]?.date ?? ""),
          last: dayName(days.at(-1)?.date ?? ""),
          most: show(amountOf(most.sum)),
          day: dayName(most.date),
        })}
      </desc>
      <defs>
        <pattern
          id={`${id}-out`}
          width="4"
          height="4"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="4" height="4" className="fill-accent-soft" />
          <rect width="1.6" height="4" className="fill-accent" />
        </pattern>
      </defs>
      {Array.from({ length: Math.round(top / step) + 1 }, (_, at) => at * step).map((value) => (
        <g key={value}>
          <line x1={LEFT} x2={WIDTH} y1={y(value)} y2={y(value)} className="stroke-border" strokeWidth={1} />
          <text
            x={LEFT - 6}
            y={y(value) + 4}
            textAnchor="end"
            fontSize={11}
            className="fill-current tabular-nums"
          >
            {show(value)}
          </text>
        </g>
      ))}
      {days.map(({ date, sum }, at) => {
        const x = LEFT + column * at + (column - bar) / 2;
        const value = amountOf(sum);
        const lower = measure === "tokens" ? (sum?.prompt_tokens ?? 0) : value;
        return (
          <g key={date}>
            {sum ? <title>{`${dayName(date)}: ${show(value)}`}</title> : null}
            <rect x={x} width={bar} y={y(lower)} height={y(0) - y(lower)} className="fill-accent" />
            {value > lower ? (
              <rect x={x} width={bar} y={y(value)} height={y(lower) - y(value)} fill={`url(#${id}-out)`} />
            ) : null}
            {sum?.tokens_estimated ? (
              <text
                x={x + bar / 2}
                y={y(value) - 2}
                textAnchor="middle"
                fontSize={11}
                className="fill-current"
              >
                ≈
              </text>
            ) : null}
            {at % every === 0 ? (
              <text x={x + bar / 2} y={HEIGHT - 6} textAnchor="middle" fontSize={11} className="fill-current">
                {dayName(date)}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}

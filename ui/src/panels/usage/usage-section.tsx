import { useState } from "react";
import { useTranslation } from "react-i18next";
import { QueryState } from "@/components/agent/query-state";
import { Empty } from "@/components/ui/empty";
import { ChoiceField } from "@/components/ui/labelled";
import { count } from "@/lib/quantity";
import { Budgets } from "./budgets";
import { DayChart } from "./day-chart";
import { beginning, datesBetween } from "./days";
import { GROUPS, type Group, type Sum, useUsage } from "./queries";
import { UsageTable, useMoney } from "./usage-table";

const SPANS = { week: 7, month: 30, quarter: 91 } as const;
type Span = keyof typeof SPANS;
const MEASURES = ["tokens", "cost"] as const;

/** What models were used for and what that cost, and what may be spent. */
export function UsageSection() {
  return (
    <div className="flex flex-col gap-8">
      <Used />
      <Budgets />
    </div>
  );
}

function Used() {
  const { t, i18n } = useTranslation();
  const money = useMoney();
  const [group, setGroup] = useState<Group>("day");
  const [span, setSpan] = useState<Span>("month");
  const [measure, setMeasure] = useState<(typeof MEASURES)[number]>("tokens");
  const now = new Date();
  const from = beginning(SPANS[span], now);
  const { data, error, isPending, refetch } = useUsage(group, from);
  const byDate = new Map(data?.groups.map((sum) => [sum.key, sum]));
  const days = datesBetween(from, now).map((date) => ({ date, sum: byDate.get(date) ?? null }));
  return (
    <section aria-labelledby="usage-heading" className="flex flex-col gap-4">
      <header className="flex flex-col gap-1">
        <h2 id="usage-heading" className="font-semibold">
          {t("usage.heading")}
        </h2>
        <p className="text-muted-foreground">{t("usage.explanation")}</p>
      </header>
      <div className="grid max-w-xl grid-cols-3 gap-3">
        <ChoiceField
          label={t("usage.by")}
          value={group}
          options={GROUPS.map((value) => ({ value, text: t(`usage.groups.${value}`) }))}
          onChange={setGroup}
        />
        <ChoiceField
          label={t("usage.span")}
          value={span}
          options={(Object.keys(SPANS) as Span[]).map((value) => ({
            value,
            text: t(`usage.spans.${value}`),
          }))}
          onChange={setSpan}
        />
        {group === "day" ? (
          <ChoiceField
            label={t("usage.measure")}
            value={measure}
            options={MEASURES.map((value) => ({ value, text: t(`usage.measures.${value}`) }))}
            onChange={setMeasure}
          />
        ) : null}
      </div>
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {data && data.total.calls === 0 ? <Empty heading={t("usage.none")} /> : null}
      {data && data.total.calls > 0 ? (
        <>
          <p className="tabular-nums">
            <strong>{money(data.total)}</strong>{" "}
            <span className="text-muted-foreground">
              {t("usage.total", {
                calls: count(data.total.calls, i18n.language),
                input: count(data.total.prompt_tokens, i18n.language),
                output: count(data.total.completion_tokens, i18n.language),
              })}
            </span>
          </p>
          {group === "day" ? <DayChart days={days} measure={measure} /> : null}
          <UsageTable group={group} sums={group === "day" ? inOrder(data.groups) : data.groups} />
          <p className="text-xs text-muted-foreground">{t("usage.legend")}</p>
        </>
      ) : null}
    </section>
  );
}

function inOrder(days: readonly Sum[]): Sum[] {
  return days.toSorted((a, b) => a.key.localeCompare(b.key));
}

import { useTranslation } from "react-i18next";
import type { Check, ScoreCard } from "@/api/score-cards";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { count } from "@/lib/quantity";

const TONES: Record<Check["verdict"], string> = {
  pass: "text-success",
  warn: "text-waiting-foreground",
  fail: "text-danger",
  skipped: "text-muted-foreground",
};

/** What a check saw and what to do, in the window's language; what it has no words for, in the server's. */
export function useCheckWords() {
  const { t, i18n } = useTranslation();
  const values = ({ evidence }: Check) =>
    Object.fromEntries(
      Object.entries(evidence ?? {}).map(([name, value]) => [
        name,
        typeof value === "number" ? count(value, i18n.language) : value,
      ]),
    );
  return {
    title: ({ name }: Check) => t(`models.checks.${name}`, { defaultValue: name }),
    detail: (check: Check) =>
      check.finding
        ? t(`models.findings.${check.finding}`, { ...values(check), defaultValue: check.detail })
        : check.detail,
    remedy: (check: Check) =>
      check.advice
        ? t(`models.advice.${check.advice}`, { ...values(check), defaultValue: check.remedy ?? "" })
        : check.remedy,
  };
}

/** Checks one below the other, each with what to do. */
export function CheckList({ checks, label }: { checks: readonly Check[]; label: string }) {
  const { t } = useTranslation();
  const words = useCheckWords();
  if (checks.length === 0) return null;
  return (
    <ul aria-label={label} className="flex flex-col gap-0.5 text-xs">
      {checks.map((check) => {
        const remedy = words.remedy(check);
        return (
          <li key={check.name}>
            <span className={cn("font-medium", TONES[check.verdict])}>
              {t(`models.verdicts.${check.verdict}`)}
            </span>{" "}
            {words.title(check)}
            <span className="text-muted-foreground"> – {words.detail(check)}</span>
            {remedy ? <span className="block pl-4">{remedy}</span> : null}
          </li>
        );
      })}
    </ul>
  );
}

/** One line: what a trial came to, or how far it is. */
export function CardSummary({ card }: { card: ScoreCard }) {
  const { t, i18n } = useTranslation();
  const facts = [
    card.effective_context_tokens
      ? t("models.reads", { tokens: count(card.effective_context_tokens, i18n.language) })
      : null,
    card.tokens_per_second ? t("models.speed", { tokens: Math.round(card.tokens_per_second) }) : null,
  ].filter((fact) => fact !== null);
  return (
    <p className="min-w-0 flex-1">
      <strong className={card.fits_agents === false ? "text-danger" : undefined}>
        {card.status === "running"
          ? t("models.trying", { done: card.checks.length, total: card.total })
          : t(fitWords(card.fits_agents))}
      </strong>{" "}
      <span className="text-muted-foreground tabular-nums">
        {facts.map((fact) => `${fact} · `)}
        <When date={card.started_at} />
      </span>
    </p>
  );
}

function fitWords(fits: boolean | null): string {
  if (fits === null) return "models.fitsUnknown";
  return fits ? "models.fits" : "models.fitsNot";
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { count } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";

type Check = {
  name: string;
  verdict: "pass" | "warn" | "fail" | "skipped";
  detail: string;
  remedy: string | null;
  needed: boolean;
};

/** What a trial of a model came to. */
export type ScoreCard = {
  id: string;
  model: string;
  status: "running" | "finished" | "cancelled" | "interrupted";
  started_at: string;
  total: number;
  checks: Check[];
  fits_agents: boolean | null;
  effective_context_tokens: number | null;
  tokens_per_second: number | null;
};

const KEY = [...keys.models(), "score-cards"] as const;

/** The newest card of every model. */
export function useScoreCards() {
  const api = useApi();
  return useQuery({
    queryKey: KEY,
    queryFn: () => api.json<ScoreCard[]>("GET", "/workbench/preflight"),
    // Checks come one by one while a trial is under way.
    refetchInterval: (query) =>
      query.state.data?.some(({ status }) => status === "running") ? 1_500 : false,
  });
}

type CardProps = { model: string; card: ScoreCard | undefined };

/** Whether a model can be an agent, tried out with real calls when asked. */
export function ScoreCardView({ model, card }: CardProps) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const api = useApi();
  const queries = useQueryClient();
  const reread = () => queries.invalidateQueries({ queryKey: KEY });
  const start = useMutation({
    mutationFn: () => api.json<ScoreCard>("POST", "/workbench/preflight", { model }),
    onSettled: reread,
  });
  const cancel = useMutation({
    mutationFn: (id: string) => api.json("POST", `/workbench/preflight/${encodeURIComponent(id)}/cancel`),
    onSettled: reread,
  });
  const running = card?.status === "running";
  return (
    <div className="flex flex-col gap-2 bg-muted/50 px-3 py-2">
      <div className="flex flex-wrap items-center gap-2 text-xs">
        {card ? (
          <p className="min-w-0 flex-1">
            <strong className={card.fits_agents === false ? "text-danger" : undefined}>
              {running
                ? t("models.trying", { done: card.checks.length, total: card.total })
                : t(fitWords(card.fits_agents))}
            </strong>{" "}
            <span className="text-muted-foreground tabular-nums">
              {card.effective_context_tokens
                ? `${t("models.reads", { tokens: count(card.effective_context_tokens, i18n.language) })} · `
                : ""}
              {card.tokens_per_second
                ? `${t("models.speed", { tokens: Math.round(card.tokens_per_second) })} · `
                : ""}
              <When date={card.started_at} />
            </span>
          </p>
        ) : (
          <p className="min-w-0 flex-1 text-muted-foreground">{t("models.notTried")}</p>
        )}
        {running ? (
          <Button size="sm" disabled={cancel.isPending} onClick={() => cancel.mutate(card.id)}>
            <Spinner />
            {t("models.stopTrying")}
          </Button>
        ) : (
          <Button size="sm" disabled={start.isPending} onClick={() => start.mutate()}>
            {t("models.tryOut")}
          </Button>
        )}
      </div>
      {start.error ? <Problem {...failure.of(start.error)} /> : null}
      <ul className="flex flex-col gap-0.5 text-xs">
        {card?.checks.map((check) => (
          <li key={check.name}>
            <span className={cn("font-medium", TONES[check.verdict])}>
              {t(`models.verdicts.${check.verdict}`)}
            </span>{" "}
            {t(`models.checks.${check.name}`, { defaultValue: check.name })}
            <span className="text-muted-foreground"> – {check.detail}</span>
            {check.remedy ? <span className="block pl-4">{check.remedy}</span> : null}
          </li>
        ))}
      </ul>
    </div>
  );
}

const TONES: Record<Check["verdict"], string> = {
  pass: "text-success",
  warn: "text-waiting-foreground",
  fail: "text-danger",
  skipped: "text-muted-foreground",
};

function fitWords(fits: boolean | null): string {
  if (fits === null) return "models.fitsUnknown";
  return fits ? "models.fits" : "models.fitsNot";
}

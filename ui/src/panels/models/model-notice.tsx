import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { type Check, type ScoreCard, useScoreCards, useTrial } from "@/api/score-cards";
import type { Agent } from "@/api/types";
import { useIsLocal } from "@/api/use-local";
import { CheckList } from "@/components/agent/score-card";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { isRehearsal } from "@/lib/model-name";
import { count } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";
import { useLimitContext } from "./queries";

/** Cards one has read and put away; a new trial is a new card. */
const useDismissed = create<{ ids: string[]; dismiss: (id: string) => void }>()(
  persist(
    (set) => ({
      ids: [],
      dismiss: (id) => set(({ ids }) => ({ ids: [...ids.slice(-99), id] })),
    }),
    { name: "loci.dismissed-score-cards" },
  ),
);

/** Tokens an agent cannot do with less of. */
const LEAST_CONTEXT = 2_000;

/** What of a trial matters to this agent: what it cannot do without, and a text longer than the model reads. */
export function troubles(card: ScoreCard | undefined, contextWindow: number): Check[] {
  if (!card?.is_current) return [];
  const read = card.effective_context_tokens ?? 0;
  return card.checks.filter(({ name, verdict, needed }) =>
    name === "context_length"
      ? (verdict === "warn" || verdict === "fail") && read < contextWindow
      : needed && verdict === "fail",
  );
}

type NoticeProps = { agent: Agent; onSettings: () => void };

/** A calm word above the composer when the agent's model was seen to fail what an agent needs. */
export function ModelNotice({ agent, onSettings }: NoticeProps) {
  const { t, i18n } = useTranslation();
  const isLocal = useIsLocal();
  const model = agent.model ?? "";
  const { data: cards } = useScoreCards(isLocal && model !== "" && !isRehearsal(model));
  const { ids, dismiss } = useDismissed();
  const limit = useLimitContext(agent.id);
  const { start } = useTrial(model);
  const failure = useFailure();
  const error = limit.error ?? start.error;
  const card = cards?.find((each) => each.model === model);
  const found = troubles(card, agent.llm_config.context_window);
  if (!card || found.length === 0 || ids.includes(card.id)) return null;
  const reads = card.effective_context_tokens ?? 0;
  const canLimit = reads >= LEAST_CONTEXT && found.some(({ name }) => name === "context_length");
  return (
    <section
      aria-label={t("models.notice")}
      className="flex flex-col gap-2 rounded-md border border-waiting bg-waiting-soft p-3"
    >
      <div className="flex items-start gap-2">
        <p role="status" className="min-w-0 flex-1 font-medium">
          {t("models.noticeHeading", { model })}
        </p>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("common.dismiss")}
          title={t("common.dismiss")}
          onClick={() => dismiss(card.id)}
        >
          <X aria-hidden className="size-3.5" />
        </Button>
      </div>
      <CheckList checks={found} label={t("models.lacking")} />
      {error ? <Problem {...failure.of(error)} /> : null}
      <div className="flex flex-wrap gap-2">
        {canLimit ? (
          <Button size="sm" disabled={limit.isPending} onClick={() => limit.mutate(reads)}>
            {limit.isPending ? <Spinner /> : null}
            {t("models.limitContext", { tokens: count(reads, i18n.language) })}
          </Button>
        ) : null}
        <Button size="sm" onClick={onSettings}>
          {t("models.otherModel")}
        </Button>
        <Button size="sm" disabled={start.isPending} onClick={() => start.mutate()}>
          {t("models.tryAgain")}
        </Button>
      </div>
    </section>
  );
}

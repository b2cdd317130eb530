import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Run } from "@/api/types";
import { useLack } from "@/api/use-lack";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { dollars, duration } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";
import { failureOfRun } from "@/run/failed";
import { useCosts, useRuns, useSteps } from "./queries";
import { StepView } from "./step-view";
import { describeRun } from "./words";

type RunsPanelProps = { agentId: string; conversationId?: string | null };

/** What the agent did: every run with how it ended, and each of its steps down to the bytes. */
export function RunsPanel({ agentId, conversationId = null }: RunsPanelProps) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } =
    useRuns(agentId);
  const runs = data?.pages.flat() ?? [];
  const [open, setOpen] = useState<string | null>(null);
  return (
    <div className="flex flex-col gap-2 p-3">
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {data && runs.length === 0 ? <Empty heading={t("runs.none")} /> : null}
      <ul className="flex flex-col gap-1.5">
        {runs.map((run) => (
          <li key={run.id} className="rounded-md border bg-card">
            <RunRow
              agentId={agentId}
              run={run}
              elsewhere={(run.conversation_id ?? null) !== conversationId}
              open={run.id === open}
              onToggle={() => setOpen(run.id === open ? null : run.id)}
            />
          </li>
        ))}
      </ul>
      {hasNextPage ? (
        <Button className="self-start" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? <Spinner /> : null}
          {t("runs.earlier")}
        </Button>
      ) : null}
    </div>
  );
}

const TONES = {
  good: "text-success",
  bad: "text-danger",
  waiting: "text-waiting-foreground",
  plain: "text-muted-foreground",
};

type RowProps = { agentId: string; run: Run; elsewhere: boolean; open: boolean; onToggle: () => void };

function RunRow({ agentId, run, elsewhere, open, onToggle }: RowProps) {
  const { t, i18n } = useTranslation();
  const { words, tone } = describeRun(run);
  const time = (ns: number) => duration(ns, i18n.language);
  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        className="flex w-full items-start gap-2 rounded-md px-2.5 py-2 text-left hover:bg-muted"
        onClick={onToggle}
      >
        <ChevronRight
          aria-hidden
          className={cn(
            "mt-0.5 size-3.5 shrink-0 text-muted-foreground transition-transform",
            open && "rotate-90",
          )}
        />
        <span className="min-w-0 flex-1">
          <span className={cn("font-medium", TONES[tone])}>{t(words)}</span>
          <span className="block text-xs text-muted-foreground tabular-nums">
            <When date={run.created_at} />
            {run.total_duration_ns ? ` · ${time(run.total_duration_ns)}` : ""}
            {run.ttft_ns ? ` · ${t("runs.firstToken", { time: time(run.ttft_ns) })}` : ""}
            {elsewhere
              ? ` · ${t(run.conversation_id ? "runs.otherConversation" : "runs.mainConversation")}`
              : ""}
          </span>
        </span>
      </button>
      {open ? <Steps agentId={agentId} run={run} /> : null}
    </>
  );
}

function Steps({ agentId, run }: { agentId: string; run: Run }) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const running = run.status === "running" || run.status === "created";
  const lack = useLack("run_steps");
  const { data, error, isLoading } = useSteps(agentId, run.id, running, lack === null);
  const { data: costs } = useCosts(run.id);
  const fault = failureOfRun(run);
  return (
    <div className="flex flex-col gap-2 border-t px-2.5 py-2">
      {fault ? <Problem {...failure.from(fault)} /> : null}
      {lack ? <p className="text-muted-foreground">{lack}</p> : null}
      {isLoading ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      {data?.length === 0 ? <p className="text-muted-foreground">{t("runs.noSteps")}</p> : null}
      <ol className="flex flex-col gap-2">
        {data?.map((step, at) => (
          <li key={step.id}>
            <StepView
              step={step}
              number={at + 1}
              cost={costs?.groups.find(({ key }) => key === step.id)?.cost_usd ?? null}
            />
          </li>
        ))}
      </ol>
      {typeof costs?.total.cost_usd === "number" && (data?.length ?? 0) > 0 ? (
        <p className="text-xs tabular-nums">
          {t("runs.costOfRun", {
            cost: `${costs.total.cost_is_partial ? "≥ " : ""}${dollars(costs.total.cost_usd, i18n.language)}`,
          })}
        </p>
      ) : null}
      <p className="font-mono text-xs break-all text-muted-foreground select-all">{run.id}</p>
    </div>
  );
}

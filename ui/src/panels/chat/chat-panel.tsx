import { useQuery } from "@tanstack/react-query";
import { type ReactNode, type Ref, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { clientToolsQuery } from "@/api/queries";
import { Composer, type ComposerMode } from "@/components/agent/composer";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { useOutbox } from "@/run/outbox";
import { isQuiet, project } from "@/run/project";
import type { Phase, RunState } from "@/run/reducer";
import { useRun } from "@/run/use-run";
import { useAgentApprovals, useCatchUp, useHistory } from "./queries";
import { Transcript } from "./transcript";

type ChatPanelProps = {
  agentId: string;
  /** Stands between conversation and composer: the approval that waits. */
  dock: ReactNode;
  composerRef: Ref<HTMLTextAreaElement>;
};

const MODES: Record<Phase, ComposerMode> = {
  idle: "ready",
  sending: "running",
  running: "running",
  reconnecting: "running",
  stopping: "stopping",
};

const NOTHING: string[] = [];

export function ChatPanel({ agentId, dock, composerRef }: ChatPanelProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const history = useHistory(agentId);
  const { approvals } = useAgentApprovals(agentId);
  const { state, session } = useRun(agentId);
  const { data: tools } = useQuery(clientToolsQuery(useApi(), agentId));
  const outbox = useOutbox();
  useCatchUp(agentId, session, history.messages);

  const active = state.phase !== "idle";
  const waiting = useMemo(
    () => new Set(approvals.flatMap((approval) => approval.calls.map((call) => call.tool_call_id))),
    [approvals],
  );
  const turns = useMemo(
    () => project(history.messages, state.live, { active, waiting }),
    [history.messages, state.live, active, waiting],
  );
  const mode: ComposerMode = !active && waiting.size > 0 ? "waiting" : MODES[state.phase];
  const clientTools = tools?.folder ? tools.tools : [];

  const send = (text: string) => {
    if (mode !== "ready" || !session.send(text, clientTools)) outbox.enqueue(agentId, text);
  };

  return (
    <section aria-label={t("chat.label")} className="flex h-full min-h-0 flex-col">
      {history.error ? (
        <Problem className="m-4" {...failure.of(history.error)}>
          <Button size="sm" onClick={() => history.refetch()}>
            {t("common.tryAgain")}
          </Button>
        </Problem>
      ) : null}
      {history.earlier.error ? (
        <Problem className="m-4" {...failure.of(history.earlier.error)}>
          <Button size="sm" onClick={history.fetchEarlier}>
            {t("common.tryAgain")}
          </Button>
        </Problem>
      ) : null}
      {history.isPending ? <Spinner className="m-auto" aria-label={t("common.loading")} /> : null}
      {history.isSuccess && turns.length === 0 ? (
        <Empty className="flex-1" heading={t("chat.empty")} />
      ) : null}
      {turns.length > 0 ? (
        <Transcript
          // A place in one conversation means nothing in another.
          key={agentId}
          turns={turns}
          more={history.more && !history.earlier.isError}
          loadingMore={history.earlier.isPending}
          onMore={history.fetchEarlier}
          thinking={active && isQuiet(turns.at(-1))}
        />
      ) : null}
      <div className="mx-auto flex w-full max-w-[760px] flex-col gap-2 px-4 pb-2">
        <RunNotice
          state={state}
          unsent={hasUnsent(state)}
          onRetry={session.retry}
          onDismiss={session.dismissFailure}
        />
        {dock}
        <Composer
          mode={mode}
          draft={outbox.drafts[agentId] ?? ""}
          onDraft={(text) => outbox.setDraft(agentId, text)}
          onSend={send}
          onStop={() => void session.stop().catch(() => {})}
          queued={outbox.queued[agentId] ?? NOTHING}
          onUnqueue={(at) => outbox.unqueue(agentId, at)}
          inputRef={composerRef}
        />
      </div>
    </section>
  );
}

/** A message of this window that the server never stored. */
function hasUnsent(state: RunState): boolean {
  return state.live.some(({ message }) => message.type === "user" && message.id === "");
}

type RunNoticeProps = { state: RunState; unsent: boolean; onRetry: () => void; onDismiss: () => void };

/** What the run has to say about itself: a failure, a broken stream, an end before the end. */
function RunNotice({ state, unsent, onRetry, onDismiss }: RunNoticeProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  if (state.failure) {
    return (
      <Problem {...failure.from(state.failure)}>
        {unsent ? (
          <Button size="sm" onClick={onRetry}>
            {t("chat.sendAgain")}
          </Button>
        ) : null}
        <Button size="sm" variant="quiet" onClick={onDismiss}>
          {t("common.dismiss")}
        </Button>
      </Problem>
    );
  }
  const words = noticeOf(state);
  return (
    <p role="status" className="text-xs text-muted-foreground empty:hidden">
      {words ? t(words) : null}
    </p>
  );
}

function noticeOf({ phase, stopReason }: RunState): string | null {
  if (phase === "reconnecting") return "chat.reconnecting";
  if (phase !== "idle") return null;
  switch (stopReason) {
    case "cancelled":
      return "chat.stopped";
    case "max_steps":
      return "chat.maxSteps";
    case "max_tokens_exceeded":
      return "chat.maxTokens";
    default:
      return null;
  }
}

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, type RefObject, useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useLack } from "@/api/use-lack";
import { useOwnTools } from "@/api/use-own-tools";
import { Composer, type ComposerMode } from "@/components/agent/composer";
import { LiveCallsProvider } from "@/components/agent/live-output";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { pictureData } from "@/lib/pictures";
import { useFailure } from "@/lib/use-failure";
import { useDrafts, useKept, useOutbox, type Written } from "@/run/outbox";
import { isQuiet, project, type UserTurn } from "@/run/project";
import type { Phase } from "@/run/reducer";
import { type Thread, threadKey } from "@/run/thread";
import { useRun } from "@/run/use-run";
import { BranchNote, useBranch } from "./branch";
import { useEdits } from "./edits";
import { MissedFailure, unanswered } from "./missed-failure";
import { titleOf, useCatchUp, useHistory, useReach, useThreadApprovals, useTitle } from "./queries";
import { hasUnsent, RunNotice } from "./run-notice";
import { useLiveCalls, useRunningCalls } from "./running-calls";
import { Spoken } from "./spoken";
import { Transcript } from "./transcript";

type ChatPanelProps = {
  thread: Thread;
  /** Stands between conversation and composer: the approval that waits. */
  dock: ReactNode;
  composerRef: RefObject<HTMLTextAreaElement | null>;
  /** The message to show, if one was looked for. */
  sought: string | null;
  onShown: () => void;
  /** Opens the conversation a branch began. */
  onBranched: (conversationId: string) => void;
};

const MODES: Record<Phase, ComposerMode> = {
  idle: "ready",
  sending: "running",
  running: "running",
  reconnecting: "running",
  stopping: "stopping",
};

function modeOf(phase: Phase, waits: boolean, stopFailed: boolean): ComposerMode {
  if (phase === "idle" && waits) return "waiting";
  // What could not be stopped runs on, and stopping it can be tried again.
  return phase === "stopping" && stopFailed ? "running" : MODES[phase];
}

const NO_MESSAGES: Written[] = [];
const NO_PICTURES: Written["pictures"] = [];

/** One conversation. Give it the thread's key: drafts, place and branch belong to one thread. */
export function ChatPanel({ thread, dock, composerRef, sought, onShown, onBranched }: ChatPanelProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const key = threadKey(thread);
  const history = useHistory(thread);
  const approvals = useThreadApprovals(thread);
  const { state, session } = useRun(thread.agentId, thread.conversationId);
  const { tools } = useOwnTools(thread.agentId);
  const forkLack = useLack("conversation_fork");
  const conversationsLack = useLack("conversations");
  const stopLack = useLack("run_cancel");
  const stop = useMutation({ mutationFn: session.stop });
  const { drafts, setDraft } = useDrafts();
  const outbox = useOutbox();
  const { setPictures } = outbox;
  const kept = useKept(({ kept }) => kept);
  const giveTitle = useTitle(thread);
  const branch = useBranch(thread);
  const edited = useEdits(({ edits }) => edits[key] ?? null);
  const { begin: beginEdit, end: endEdit } = useEdits.getState();
  useCatchUp(thread, session, history.messages);

  useReach(sought, history, onShown);

  const active = state.phase !== "idle";
  const waiting = useMemo(
    () => new Set(approvals.flatMap((approval) => approval.calls.map((call) => call.tool_call_id))),
    [approvals],
  );
  const running = useRunningCalls(thread);
  const liveCalls = useLiveCalls(running);
  const turns = useMemo(
    () => project(history.messages, state.live, { active, waiting, running, times: session.callTimes() }),
    [history.messages, state.live, active, waiting, running, session],
  );
  const mode = modeOf(state.phase, waiting.size > 0, stop.isError);

  const write = useCallback(
    ({ text, pictures }: Written) => {
      setDraft(key, text);
      setPictures(key, pictures);
    },
    [key, setDraft, setPictures],
  );
  const leaveEdit = () => {
    if (edited) write(edited.before);
    endEdit(key);
  };

  const send = (written: Written) => {
    if (edited) {
      const wish = {
        turn: edited.turn,
        title: titleOf(written.text),
        messages: history.messages,
        more: history.more,
      };
      branch
        // Whoever has gone elsewhere meanwhile is not taken there.
        .mutateAsync(wish, { onSuccess: (conversation) => onBranched(conversation.id) })
        .then(
          (conversation) => {
            // The new conversation's own runner sends it, as soon as it is free.
            outbox.enqueue(threadKey({ ...thread, conversationId: conversation.id }), written);
            leaveEdit();
          },
          () => write(written),
        );
      return;
    }
    giveTitle(written.text);
    stop.reset();
    if (mode !== "ready" || !session.send(written.text, tools, written.pictures)) {
      outbox.enqueue(key, written);
    }
  };

  const onEdit = useCallback(
    (turn: UserTurn) => {
      const before = {
        text: useDrafts.getState().drafts[key] ?? "",
        pictures: useOutbox.getState().pictures[key] ?? NO_PICTURES,
      };
      beginEdit(key, { turn, before });
      write({ text: turn.text, pictures: turn.pictures.flatMap(pictureData) });
      composerRef.current?.focus();
    },
    [key, write, beginEdit, composerRef],
  );

  return (
    <section aria-label={t("chat.label")} className="flex h-full min-h-0 flex-col">
      {history.error ? (
        <Problem className="m-4" {...failure.of(history.error)}>
          <Button size="sm" onClick={() => history.refetch()}>
            {t("common.tryAgain")}
          </Button>
        </Problem>
      ) : null}
      {history.earlier.error && !history.error ? (
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
        <LiveCallsProvider value={liveCalls}>
          <Transcript
            turns={turns}
            more={history.more && !history.earlier.isError}
            loadingMore={history.earlier.isPending}
            onMore={history.fetchEarlier}
            onEdit={onEdit}
            editLack={conversationsLack ?? forkLack}
            sought={sought}
            onShown={onShown}
            thinking={active && isQuiet(turns.at(-1))}
          />
        </LiveCallsProvider>
      ) : null}
      <Spoken turns={turns} active={active} />
      {/* The gutters of the messages above, so that both columns stand under each other. */}
      <div className="shrink-0 overflow-hidden pt-1 [scrollbar-gutter:stable_both-edges]">
        <div className="mx-auto flex w-full max-w-[760px] flex-col gap-2 px-4 pb-3">
          <RunNotice
            state={state}
            unsent={hasUnsent(state)}
            onRetry={session.retry}
            onAgain={session.canAgain() ? session.again : null}
            onDismiss={session.dismissFailure}
          />
          <MissedFailure
            thread={thread}
            // Of a run this window saw, the notice above tells.
            unanswered={active || state.failure || state.stopReason ? null : unanswered(turns)}
            onAgain={(turn) => session.send(turn.text, tools)}
          />
          {stop.error && active ? (
            <Problem {...failure.of(stop.error)} heading={t("chat.notStopped")} />
          ) : null}
          {branch.error ? (
            <Problem {...failure.of(branch.error)}>
              <Button size="sm" variant="quiet" onClick={() => branch.reset()}>
                {t("common.dismiss")}
              </Button>
            </Problem>
          ) : null}
          {dock}
          {edited ? <BranchNote onCancel={leaveEdit} busy={branch.isPending} /> : null}
          <Composer
            mode={edited ? "ready" : mode}
            draft={drafts[key] ?? ""}
            onDraft={(text) => setDraft(key, text)}
            pictures={outbox.pictures[key] ?? NO_PICTURES}
            onPictures={(pictures) => outbox.setPictures(key, pictures)}
            onSend={send}
            onStop={() => stop.mutate()}
            stopLack={stopLack}
            onCancel={edited ? leaveEdit : undefined}
            queued={outbox.queued[key] ?? NO_MESSAGES}
            onUnqueue={(at) => outbox.unqueue(key, at)}
            notice={kept ? null : t("composer.notKept")}
            inputRef={composerRef}
          />
        </div>
      </div>
    </section>
  );
}

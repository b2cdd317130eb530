import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useApi } from "@/api/context";
import { activeRunsQuery, approvalsQuery } from "@/api/queries";
import { useLack } from "@/api/use-lack";
import { useOwnTools } from "@/api/use-own-tools";
import { useOutbox, type Written } from "@/run/outbox";
import { type Thread, threadKey, threadOf } from "@/run/thread";
import { useRun } from "@/run/use-run";

/** Sends what waits in the outbox when its thread is free, whichever is on screen. */
export function OutboxRunner() {
  const queued = useOutbox((outbox) => outbox.queued);
  return Object.entries(queued).map(([key, [next]]) =>
    next === undefined ? null : <SendNext key={key} thread={threadOf(key)} next={next} />,
  );
}

function SendNext({ thread, next }: { thread: Thread; next: Written }) {
  const api = useApi();
  const { agentId, conversationId } = thread;
  const key = threadKey(thread);
  const { state, session } = useRun(agentId, conversationId);
  const unqueue = useOutbox((outbox) => outbox.unqueue);
  const approvals = useQuery(approvalsQuery(api));
  const { tools, known } = useOwnTools(agentId);
  const waits =
    approvals.data?.some(
      (approval) => approval.agent_id === agentId && approval.conversation_id === conversationId,
    ) ?? true;
  // After a restart of the window a run may go on that this session does not know yet.
  const runsLack = useLack("runs");
  const runs = useQuery({ ...activeRunsQuery(api, agentId), enabled: runsLack === null });
  const run = runs.data?.find((active) => (active.conversation_id ?? null) === conversationId);
  const goesOn = run !== undefined && run.id !== state.runId;
  useEffect(() => {
    if (run?.id && run.background && goesOn) session.follow(run.id);
  }, [run, goesOn, session]);
  // Right after a run that stopped for approval the inbox may not know it yet.
  const unsure = state.stopReason === "requires_approval" && approvals.isFetching;
  const free =
    state.phase === "idle" &&
    state.failure === null &&
    !waits &&
    !unsure &&
    !goesOn &&
    (runs.isSuccess || runsLack !== null) &&
    known;
  useEffect(() => {
    if (!free) return;
    if (session.send(next.text, tools, next.pictures)) unqueue(key, 0);
  }, [free, session, next, tools, unqueue, key]);
  return null;
}

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useApi } from "@/api/context";
import { approvalsQuery, clientToolsQuery } from "@/api/queries";
import { useOutbox } from "@/run/outbox";
import { useRun } from "@/run/use-run";

/** Sends what waits in the outbox when its agent is free, whichever agent is on screen. */
export function OutboxRunner() {
  const queued = useOutbox((outbox) => outbox.queued);
  return Object.entries(queued).map(([agentId, [next]]) =>
    next === undefined ? null : <SendNext key={agentId} agentId={agentId} text={next} />,
  );
}

function SendNext({ agentId, text }: { agentId: string; text: string }) {
  const api = useApi();
  const { state, session } = useRun(agentId);
  const unqueue = useOutbox((outbox) => outbox.unqueue);
  const approvals = useQuery(approvalsQuery(api));
  const tools = useQuery(clientToolsQuery(api, agentId));
  const waits = approvals.data?.some((approval) => approval.agent_id === agentId) ?? true;
  // Right after a run that stopped for approval the inbox may not know it yet.
  const unsure = state.stopReason === "requires_approval" && approvals.isFetching;
  const free = state.phase === "idle" && state.failure === null && !waits && !unsure && tools.isSuccess;
  useEffect(() => {
    if (!free) return;
    if (session.send(text, tools.data?.folder ? tools.data.tools : [])) unqueue(agentId, 0);
  }, [free, session, text, tools.data, unqueue, agentId]);
  return null;
}

import type { Ref } from "react";
import type { Decision, PendingCall, Approval as Waiting } from "@/api/approvals";
import { Approval } from "@/components/agent/approval";
import { useRun } from "@/run/use-run";
import { useRehearseCall } from "./queries";

type PendingCardProps = {
  approval: Waiting;
  onLeave: () => void;
  ref?: Ref<HTMLElement>;
  className?: string;
};

/** A request that waits, with its answer going out through the conversation it belongs to. */
export function PendingCard({ approval, onLeave, ref, className }: PendingCardProps) {
  const { state, session } = useRun(approval.agent_id, approval.conversation_id);
  const rehearse = useRehearseCall(approval.id);
  return (
    <Approval
      // A call that became another is asked about anew.
      key={[approval.id, ...approval.calls.map((call) => call.hash)].join("/")}
      {...(ref ? { ref } : {})}
      {...(className ? { className } : {})}
      agentName={approval.agent_name}
      calls={approval.calls}
      expiresAt={approval.expires_at ?? null}
      busy={state.phase !== "idle"}
      onLeave={onLeave}
      onRehearse={approval.calls.every((call) => call.verdict) ? rehearse : undefined}
      onAnswer={(decisions) =>
        session.answer({
          messageId: approval.id,
          conversationId: approval.conversation_id,
          decisions,
          runHere: runHere(approval.calls, decisions),
        })
      }
    />
  );
}

/** The calls this machine carries out before the answer goes on: not those that have run already. */
function runHere(calls: readonly PendingCall[], decisions: readonly Decision[]): string[] {
  const allowed = new Set(
    decisions.filter(({ decision }) => decision === "allow").map(({ tool_call_id }) => tool_call_id),
  );
  return calls
    .filter(
      ({ kind, outcome, tool_call_id }) =>
        kind === "client" && outcome?.state !== "finished" && allowed.has(tool_call_id),
    )
    .map(({ tool_call_id }) => tool_call_id);
}

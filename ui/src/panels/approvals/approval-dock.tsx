import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { approvalsQuery } from "@/api/queries";
import { Approval } from "@/components/agent/approval";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useRun } from "@/run/use-run";

type ApprovalDockProps = {
  agentId: string;
  /** The conversation on screen; `null` is the agent's main one. */
  conversationId?: string | null;
  onLeave: () => void;
};

/** The oldest request of this conversation that waits. It comes from the inbox, so it survives a restart. */
export function ApprovalDock({ agentId, conversationId = null, onLeave }: ApprovalDockProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, refetch } = useQuery(approvalsQuery(useApi()));
  const { state, session } = useRun(agentId, conversationId);
  const waiting =
    data?.filter(
      (approval) => approval.agent_id === agentId && approval.conversation_id === conversationId,
    ) ?? [];
  const approval = waiting.toSorted((a, b) => a.created_at.localeCompare(b.created_at))[0];
  const card = useRef<HTMLElement>(null);
  const id = approval?.id;

  useEffect(() => {
    // The card itself, never a button in it; and never away from someone who is typing.
    if (id && !isTyping(document.activeElement)) card.current?.focus();
  }, [id]);

  if (!approval && error) {
    return (
      <Problem {...failure.of(error)} message={t("approval.unread")} detail={error.message}>
        <Button size="sm" onClick={() => refetch()}>
          {t("common.tryAgain")}
        </Button>
      </Problem>
    );
  }
  if (!approval) return null;
  return (
    <>
      <p role="alert" className="sr-only">
        {t("approval.title", { agent: approval.agent_name, count: approval.calls.length })}
      </p>
      <Approval
        // A call that became another is asked about anew.
        key={[approval.id, ...approval.calls.map((call) => call.hash)].join("/")}
        ref={card}
        agentName={approval.agent_name}
        calls={approval.calls}
        busy={state.phase !== "idle"}
        onLeave={onLeave}
        onAnswer={(decisions) =>
          session.answer({ messageId: approval.id, conversationId: approval.conversation_id, decisions })
        }
      />
    </>
  );
}

function isTyping(element: Element | null): boolean {
  return element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement;
}

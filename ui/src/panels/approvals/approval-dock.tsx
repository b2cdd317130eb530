import { Dialog } from "radix-ui";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { asksSomebody } from "@/api/approvals";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { PendingCard } from "./pending-card";
import { useApprovals } from "./queries";

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
  const { data, error, refetch } = useApprovals();
  const waiting =
    data?.filter(
      // What asks nobody would hide, over the conversation, the way to stop it.
      (approval) =>
        approval.agent_id === agentId &&
        approval.conversation_id === conversationId &&
        asksSomebody(approval),
    ) ?? [];
  const approval = waiting.toSorted((a, b) => a.created_at.localeCompare(b.created_at))[0];
  const card = useRef<HTMLElement>(null);
  const id = approval?.id;
  /** The dangerous request the person has put back into the dock. */
  const [docked, setDocked] = useState<string | null>(null);

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
  const title = t("approval.title", { agent: approval.agent_name, count: approval.calls.length });
  const leave = () => {
    setDocked(approval.id);
    onLeave();
  };
  if (approval.calls.some((call) => call.dangerous) && docked !== approval.id) {
    return (
      <Dialog.Root open>
        <Dialog.Portal>
          <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-black/40" />
          <Dialog.Content
            aria-describedby={undefined}
            className="fixed top-1/2 left-1/2 z-50 w-[min(44rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 shadow-xl"
            onEscapeKeyDown={(event) => {
              event.preventDefault();
              // The card hears it itself while the focus is in it.
              if (!card.current?.contains(document.activeElement)) leave();
            }}
            onPointerDownOutside={(event) => event.preventDefault()}
            onOpenAutoFocus={(event) => {
              event.preventDefault();
              // Whoever was typing cannot go on behind it; no plain key decides anything.
              card.current?.focus();
            }}
          >
            <Dialog.Title className="sr-only">{title}</Dialog.Title>
            <PendingCard ref={card} approval={approval} onLeave={leave} className="max-h-[85vh]" />
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
    );
  }
  return (
    <>
      <p role="alert" className="sr-only">
        {title}
      </p>
      <PendingCard ref={card} approval={approval} onLeave={leave} />
    </>
  );
}

function isTyping(element: Element | null): boolean {
  return element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement;
}

import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import type { RunState } from "@/run/reducer";

/** A message of this window that the server never stored. */
export function hasUnsent(state: RunState): boolean {
  return state.live.some(({ message }) => message.type === "user" && message.id === "");
}

type RunNoticeProps = {
  state: RunState;
  unsent: boolean;
  /** Sends what did not arrive. */
  onRetry: () => void;
  /** Says once more what arrived in vain. */
  onAgain: (() => void) | null;
  onDismiss: () => void;
};

/** What the run has to say about itself: a failure, a broken stream, an end before the end. */
export function RunNotice({ state, unsent, onRetry, onAgain, onDismiss }: RunNoticeProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  if (state.failure) {
    return (
      <Problem {...failure.from(state.failure)}>
        {unsent || onAgain ? (
          <Button size="sm" onClick={unsent ? onRetry : (onAgain ?? undefined)}>
            {t(unsent ? "chat.sendAgain" : "chat.askAgain")}
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
    case "context_window_overflow_in_system_prompt":
      return "chat.tooFull";
    case "no_tool_call":
    case "tool_rule":
    case "invalid_tool_call":
      return "chat.ruleEnd";
    case "insufficient_credits":
      return "chat.budget";
    default:
      return null;
  }
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import type { Turn, UserTurn } from "@/run/project";
import type { Thread } from "@/run/thread";
import { useLastFailure } from "./queries";

/** The stored message at the end of the conversation that got no answer, or none that was finished. */
export function unanswered(turns: readonly Turn[]): UserTurn | null {
  const last = turns.at(-1);
  if (last?.role === "agent" && !last.failed) return null;
  const asked = turns.findLast((turn) => turn.role === "user");
  return asked?.role === "user" && !asked.pending ? asked : null;
}

type MissedFailureProps = { thread: Thread; unanswered: UserTurn | null; onAgain: (turn: UserTurn) => void };

/** Why a message was never answered, when its run failed before this window was there. */
export function MissedFailure({ thread, unanswered: turn, onAgain }: MissedFailureProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const missed = useLastFailure(thread, turn !== null);
  const [dismissed, setDismissed] = useState<string | null>(null);
  if (!turn || !missed || missed.runId === dismissed) return null;
  return (
    <Problem {...failure.from(missed.failure)}>
      {turn.pictures.length === 0 && turn.text ? (
        <Button size="sm" onClick={() => onAgain(turn)}>
          {t("chat.askAgain")}
        </Button>
      ) : null}
      <Button size="sm" variant="quiet" onClick={() => setDismissed(missed.runId)}>
        {t("common.dismiss")}
      </Button>
    </Problem>
  );
}

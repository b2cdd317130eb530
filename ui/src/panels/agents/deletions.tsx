// Agents on their way out. Nothing is deleted until the time to take it back is over; closing the window before
// that keeps the agent.
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { create } from "zustand";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useDeleteAgent } from "./queries";

/** Milliseconds in which a deletion can be taken back. */
const GRACE = 15_000;

type Leaving = { agentId: string; name: string };

type Deletions = {
  leaving: Leaving[];
  begin(leaving: Leaving): void;
  /** Taken back, or done. */
  end(agentId: string): void;
};

export const useDeletions = create<Deletions>()((set) => ({
  leaving: [],
  begin: (one) =>
    set(({ leaving }) => ({ leaving: [...leaving.filter(({ agentId }) => agentId !== one.agentId), one] })),
  end: (gone) => set(({ leaving }) => ({ leaving: leaving.filter(({ agentId }) => agentId !== gone) })),
}));

/** What is about to be deleted, each with a way back. */
export function Leaving() {
  const { t } = useTranslation();
  const leaving = useDeletions((deletions) => deletions.leaving);
  if (leaving.length === 0) return null;
  return (
    <ul aria-label={t("agents.leaving")} className="flex flex-col gap-1 p-2">
      {leaving.map((one) => (
        <LeavingRow key={one.agentId} leaving={one} />
      ))}
    </ul>
  );
}

function LeavingRow({ leaving: { agentId, name } }: { leaving: Leaving }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const end = useDeletions((deletions) => deletions.end);
  const { mutate, error, isPending } = useDeleteAgent();
  useEffect(() => {
    const timer = setTimeout(() => mutate(agentId, { onSuccess: () => end(agentId) }), GRACE);
    return () => clearTimeout(timer);
  }, [agentId, mutate, end]);
  if (error) {
    return (
      <li>
        <Problem {...failure.of(error)}>
          <Button size="sm" onClick={() => end(agentId)}>
            {t("agents.keep")}
          </Button>
        </Problem>
      </li>
    );
  }
  return (
    <li className="flex items-center gap-2 rounded-md border bg-card py-1 pr-1 pl-2.5">
      <span role="status" className="min-w-0 flex-1 truncate">
        {t("agents.deleted", { name })}
      </span>
      <Button size="sm" disabled={isPending} onClick={() => end(agentId)}>
        {t("agents.undo")}
      </Button>
    </li>
  );
}

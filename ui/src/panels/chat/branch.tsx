// Edit and branch: a message said in other words begins a new conversation that shares everything before it. The
// first conversation stays as it was.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Api } from "@/api/client";
import { useApi } from "@/api/context";
import { ApiError, toApiError } from "@/api/error";
import { keys } from "@/api/queries";
import type { Conversation } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { Message } from "@/run/events";
import type { UserTurn } from "@/run/project";
import type { Thread } from "@/run/thread";
import { readPage } from "./queries";

type Wish = {
  turn: UserTurn;
  messages: readonly Message[];
  /** Earlier messages exist that were not read yet. */
  more: boolean;
};

export function useBranch(thread: Thread) {
  const { t } = useTranslation();
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => branchBefore(api, thread, wish, t("branch.impossible")),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.conversations(thread.agentId) }),
  });
}

/** A new conversation with everything before the turn's message. */
async function branchBefore(
  api: Api,
  thread: Thread,
  { turn, messages, more }: Wish,
  impossible: string,
): Promise<Conversation> {
  const last =
    lastBefore(messages, turn.id) ??
    (more
      ? ((await readPage(api, thread, turn.id)).findLast(({ type }) => type !== "system")?.id ?? null)
      : null);
  if (last === null) {
    const agent = new URLSearchParams({ agent_id: thread.agentId });
    return api.json<Conversation>("POST", `/v1/conversations/?${agent}`, {});
  }
  const query = new URLSearchParams({ agent_id: thread.agentId, message_id: last });
  const path = `/v1/conversations/${encodeURIComponent(thread.conversationId ?? "default")}/fork?${query}`;
  const made = await api.json<Conversation>("POST", path).catch((thrown: unknown) => {
    const { status, detail } = toApiError(thrown);
    if (status !== 404 && status !== 405) throw thrown;
    throw new ApiError(impossible, "request", status, null, detail);
  });
  // A server that knows no place to fork at copies everything: that would be another conversation than asked for.
  const newest = await readPage(api, { agentId: thread.agentId, conversationId: made.id });
  if (newest.some((message) => message.id === turn.id)) {
    await api.json("DELETE", `/v1/conversations/${encodeURIComponent(made.id)}`);
    throw new ApiError(impossible, "request", null);
  }
  return made;
}

/** The stored message that stands before this one; `null` when it is the first that was said. */
export function lastBefore(messages: readonly Message[], id: string): string | null {
  const at = messages.findIndex((message) => message.id === id);
  const before = messages.slice(0, Math.max(0, at)).filter(({ type }) => type !== "system");
  return before.at(-1)?.id ?? null;
}

/** Says that what is sent now begins a branch. */
export function BranchNote({ onCancel, busy }: { onCancel: () => void; busy: boolean }) {
  const { t } = useTranslation();
  return (
    <div className="flex items-center gap-2 rounded-md bg-accent-soft px-3 py-1.5 text-xs">
      {busy ? <Spinner className="size-3.5" /> : null}
      <p role="status" className="min-w-0 flex-1">
        {t("branch.note")}
      </p>
      <Button
        size="icon"
        variant="quiet"
        aria-label={t("branch.cancel")}
        title={t("branch.cancel")}
        onClick={onCancel}
      >
        <X aria-hidden className="size-3.5" />
      </Button>
    </div>
  );
}

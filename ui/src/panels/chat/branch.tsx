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
  /** Of the new conversation. */
  title: string;
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
  { turn, title, messages, more }: Wish,
  impossible: string,
): Promise<Conversation> {
  const last =
    lastBefore(messages, turn.id) ?? (more ? spoken(await readPage(api, thread, turn.id)).at(-1) : undefined);
  const made = last
    ? await forkAfter(api, thread, last, impossible)
    : await api.json<Conversation>(
        "POST",
        `/v1/conversations/?${new URLSearchParams({ agent_id: thread.agentId })}`,
        {},
      );
  if (title) {
    // A copy has its original's title; without one of its own it is still the right conversation.
    await api.json("PATCH", conversationPath(made.id), { summary: title }).catch(() => {});
  }
  return made;
}

async function forkAfter(api: Api, thread: Thread, last: Message, impossible: string): Promise<Conversation> {
  const query = new URLSearchParams({ agent_id: thread.agentId, message_id: last.id });
  const path = `${conversationPath(thread.conversationId ?? "default")}/fork?${query}`;
  const made = await api.json<Conversation>("POST", path).catch((thrown: unknown) => {
    const { status, detail } = toApiError(thrown);
    if (status !== 404 && status !== 405) throw thrown;
    throw new ApiError(impossible, "request", status, null, detail);
  });
  // A server that knows no place to fork at copies everything: that would be another conversation than asked for.
  // A copy's messages may have ids of their own, so what the last one says is compared.
  const copied = spoken(await readPage(api, { agentId: thread.agentId, conversationId: made.id })).at(-1);
  if (!copied || wordsOf(copied) !== wordsOf(last)) {
    await api.json("DELETE", conversationPath(made.id));
    throw new ApiError(impossible, "request", null);
  }
  return made;
}

function conversationPath(id: string): string {
  return `/v1/conversations/${encodeURIComponent(id)}`;
}

function wordsOf(message: Message): string {
  return `${message.type}: ${"text" in message ? message.text : ""}`;
}

function spoken(messages: readonly Message[]): Message[] {
  return messages.filter(({ type }) => type !== "system");
}

/** What stands before this message; nothing when it is the first that was said. */
export function lastBefore(messages: readonly Message[], id: string): Message | undefined {
  const at = messages.findIndex((message) => message.id === id);
  return spoken(messages.slice(0, Math.max(0, at))).at(-1);
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

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { type Api, unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { activeRunsQuery, approvalsQuery, keys } from "@/api/queries";
import type { Conversation } from "@/api/types";
import { useLack } from "@/api/use-lack";
import type { Approval } from "@/api/workbench";
import { decodeMessage, type Message } from "@/run/events";
import { failureOfRun } from "@/run/failed";
import { storedKeys } from "@/run/reducer";
import type { RunSession } from "@/run/session";
import { messagesPath, type Thread } from "@/run/thread";
import { type History, withEarlier, withNewest } from "./history";

const PAGE = 100;

/** The stored messages of a thread, oldest first, as far back as was asked for. */
export function useHistory(thread: Thread) {
  const api = useApi();
  const queries = useQueryClient();
  const queryKey = keys.messages(thread.agentId, thread.conversationId);
  const query = useQuery({
    queryKey,
    queryFn: async () => {
      const newest = await readPage(api, thread);
      return withNewest(queries.getQueryData<History>(queryKey), newest);
    },
  });
  const earlier = useMutation({
    mutationKey: [...queryKey, "earlier"],
    mutationFn: async (): Promise<Message[]> => {
      const first = queries.getQueryData<History>(queryKey)?.messages[0];
      return first ? readPage(api, thread, first.id) : [];
    },
    onSuccess: (page) => {
      queries.setQueryData<History>(queryKey, (held) => held && withEarlier(held, page));
    },
  });
  const { mutate } = earlier;
  const { agentId, conversationId } = thread;
  const fetchEarlier = useCallback(() => {
    // Scrolling asks many times before the first answer is drawn.
    const asked = { mutationKey: [...keys.messages(agentId, conversationId), "earlier"] };
    if (queries.isMutating(asked) === 0) mutate();
  }, [queries, mutate, agentId, conversationId]);
  return {
    ...query,
    messages: query.data?.messages ?? NONE,
    more: query.data?.more ?? false,
    earlier,
    fetchEarlier,
  };
}

const NONE: Message[] = [];

/** Reads back to the message that is looked for; gives up where there is nothing earlier. */
export function useReach(
  sought: string | null,
  { isSuccess, messages, more, earlier, fetchEarlier }: ReturnType<typeof useHistory>,
  giveUp: () => void,
): void {
  const { isPending, isError } = earlier;
  const missing = sought !== null && isSuccess && !messages.some(({ id }) => id === sought);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each page that came in asks for the next
  useEffect(() => {
    if (!missing || isPending) return;
    if (more && !isError) fetchEarlier();
    else giveUp();
  }, [missing, isPending, isError, more, messages]);
}

/** Every kind, because a summary is shown as one only to who asks for it. */
const KINDS = [
  "user",
  "assistant",
  "reasoning",
  "hidden_reasoning",
  "tool_call",
  "tool_return",
  "approval_request",
  "approval_response",
  "summary",
  "event",
].map((kind) => `${kind}_message`);

/**
 * One page of a thread, oldest first. The agents' route prints a page that way and takes `before` for earlier; the
 * conversations' one prints the newest first and its cursors follow.
 */
export async function readPage(api: Api, thread: Thread, earlierThan?: string): Promise<Message[]> {
  const query = new URLSearchParams({ limit: String(PAGE), order: "desc", include_err: "true" });
  for (const kind of KINDS) query.append("include_return_message_types", kind);
  if (thread.conversationId === null) query.set("conversation_id", "default");
  if (earlierThan) query.set(thread.conversationId === null ? "before" : "after", earlierThan);
  const page = await api.json<unknown[]>("GET", `${messagesPath(thread)}?${query}`);
  const messages = page.map(decodeMessage);
  return thread.conversationId === null ? messages : oldestFirst(messages);
}

/** Every stored message of a thread, oldest first. */
export async function readAll(api: Api, thread: Thread): Promise<Message[]> {
  const pages: Message[][] = [];
  for (;;) {
    const page = await readPage(api, thread, pages.at(-1)?.[0]?.id);
    if (page.length === 0) return pages.reverse().flat();
    pages.push(page);
  }
}

/** Turns the stored messages round, but not the parts of one, which come in their own order. */
export function oldestFirst(newestFirst: readonly Message[]): Message[] {
  const stored: Message[][] = [];
  for (const message of newestFirst) {
    const group = stored.at(-1);
    if (group && group[0]?.id === message.id) group.push(message);
    else stored.push([message]);
  }
  return stored.reverse().flat();
}

/** The requests of one thread that wait for a person, oldest first. */
export function useThreadApprovals({ agentId, conversationId }: Thread): Approval[] {
  const { data } = useQuery(approvalsQuery(useApi()));
  return useMemo(
    () =>
      (data ?? []).filter(
        (approval) => approval.agent_id === agentId && approval.conversation_id === conversationId,
      ),
    [data, agentId, conversationId],
  );
}

/** Follows a run that someone else started, or this window before it was closed; and lets go of what is stored. */
export function useCatchUp(thread: Thread, session: RunSession, messages: readonly Message[]) {
  const api = useApi();
  const { agentId, conversationId } = thread;
  const lack = useLack("runs");
  const { data: runs } = useQuery({ ...activeRunsQuery(api, agentId), enabled: lack === null });
  const run = runs?.find((active) => (active.conversation_id ?? null) === conversationId);
  useEffect(() => {
    // Only background runs can be followed; the last run of this session is known to have been.
    if (run?.id && run.background && run.id !== session.getState().runId) session.follow(run.id);
  }, [run, session]);
  useEffect(() => {
    if (messages.length > 0) session.settle(storedKeys(messages));
  }, [messages, session]);
}

/** Runs among which the last one of a thread is looked for. */
const RECENT = 20;

/** Why the thread's last run failed, for a window that did not see it; asked only when an answer is missing. */
export function useLastFailure({ agentId, conversationId }: Thread, missing: boolean) {
  const api = useApi();
  const lack = useLack("runs");
  const { data } = useQuery({
    queryKey: [...keys.activeRuns(agentId), "last"],
    queryFn: () =>
      unwrap(
        api.v1.GET("/v1/runs/", { params: { query: { agent_id: agentId, limit: RECENT, order: "desc" } } }),
      ),
    enabled: missing && lack === null,
  });
  const last = data?.find((run) => (run.conversation_id ?? null) === conversationId);
  return useMemo(() => {
    const failure = missing && last?.status === "failed" ? failureOfRun(last) : null;
    return failure && last ? { runId: last.id, failure } : null;
  }, [missing, last]);
}

/** Characters of a title made from a message. */
const TITLE = 60;

/** Gives a conversation without a title the first words said in it. The main conversation has none. */
export function useTitle({ agentId, conversationId }: Thread): (text: string) => void {
  const api = useApi();
  const queries = useQueryClient();
  const title = useMutation({
    mutationFn: async (summary: string) => {
      const path = `/v1/conversations/${encodeURIComponent(conversationId ?? "")}`;
      const { summary: already } = await api.json<Conversation>("GET", path);
      if (!already) await api.json("PATCH", path, { summary });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.conversations(agentId) }),
  });
  return (text) => {
    const words = titleOf(text);
    const untitled = queries
      .getQueryData<Conversation[]>(keys.conversations(agentId))
      ?.some(({ id, summary }) => id === conversationId && !summary);
    // A title that could not be kept is made from the next message.
    if (untitled && words) title.mutate(words);
  };
}

export function titleOf(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  if (line.length <= TITLE) return line;
  const cut = line.slice(0, TITLE);
  const space = cut.lastIndexOf(" ");
  return `${space > TITLE / 2 ? cut.slice(0, space) : cut}…`;
}

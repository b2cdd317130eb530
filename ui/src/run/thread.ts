// One thread of messages: an agent's main conversation, or one of its others. What the window keeps per thread
// (runs, drafts, history) is kept under its key.

export type Thread = {
  agentId: string;
  /** `null` for the agent's main conversation. */
  conversationId: string | null;
};

export function threadKey({ agentId, conversationId }: Thread): string {
  return conversationId ? `${agentId}/${conversationId}` : agentId;
}

/** The thread a key was made from. */
export function threadOf(key: string): Thread {
  const [agentId = "", conversationId] = key.split("/");
  return { agentId, conversationId: conversationId ?? null };
}

/** Where messages of the thread are sent. */
export function messagesPath({ agentId, conversationId }: Thread): string {
  return conversationId
    ? `/v1/conversations/${encodeURIComponent(conversationId)}/messages`
    : `/v1/agents/${encodeURIComponent(agentId)}/messages`;
}

/** Where a stop of the thread is asked for, and what is said there. */
export function cancelCall(
  { agentId, conversationId }: Thread,
  runId: string | null,
): { path: string; body: Record<string, unknown> | undefined } {
  if (conversationId) {
    return { path: `/v1/conversations/${encodeURIComponent(conversationId)}/cancel`, body: undefined };
  }
  return {
    path: `/v1/agents/${encodeURIComponent(agentId)}/messages/cancel`,
    body: runId ? { run_ids: [runId] } : {},
  };
}

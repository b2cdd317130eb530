import { useQuery } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";

/** What the next request of this conversation would carry. Read again with the messages. */
export function useContextWindow(agentId: string, conversationId: string | null) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.messages(agentId, conversationId), "context"],
    queryFn: () =>
      unwrap(
        api.v1.GET("/v1/agents/{agent_id}/context", {
          params: {
            path: { agent_id: agentId },
            query: conversationId === null ? {} : { conversation_id: conversationId },
          },
        }),
      ),
    // Memory, tools and settings are in it too.
    staleTime: 0,
    refetchInterval: 15_000,
  });
}

/** The prompt tokens the model's server itself counted in this agent's newest finished step. */
export function useLastCount(agentId: string) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.messages(agentId), "last-count"],
    queryFn: () =>
      api.json<{ prompt_tokens?: number | null }[]>(
        "GET",
        `/v1/steps/?agent_id=${encodeURIComponent(agentId)}&limit=5`,
      ),
    select: (steps) =>
      steps.find(({ prompt_tokens }) => typeof prompt_tokens === "number")?.prompt_tokens ?? null,
  });
}

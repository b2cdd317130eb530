import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { Conversation } from "@/api/types";
import { useLack } from "@/api/use-lack";

const MOST = 1000;

/** An agent's conversations besides the main one, those last spoken in first. */
export function useConversations(agentId: string) {
  const api = useApi();
  const lack = useLack("conversations");
  return useQuery({
    queryKey: keys.conversations(agentId),
    enabled: lack === null,
    queryFn: () =>
      unwrap(
        api.v1.GET("/v1/conversations/", {
          params: { query: { agent_id: agentId, limit: MOST, order: "desc", order_by: "last_message_at" } },
        }),
      ),
  });
}

export function useCreateConversation(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      api.json<Conversation>("POST", `/v1/conversations/?${new URLSearchParams({ agent_id: agentId })}`, {}),
    onSuccess: (made) => {
      queries.setQueryData<Conversation[]>(keys.conversations(agentId), (before) => [
        made,
        ...(before ?? []),
      ]);
      return queries.invalidateQueries({ queryKey: keys.conversations(agentId) });
    },
  });
}

export function useRenameConversation(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, summary }: { id: string; summary: string }) =>
      unwrap(
        api.v1.PATCH("/v1/conversations/{conversation_id}", {
          params: { path: { conversation_id: id } },
          body: { summary },
        }),
      ),
    onSuccess: (_, { id, summary }) => {
      queries.setQueryData<Conversation[]>(keys.conversations(agentId), (before) =>
        before?.map((one) => (one.id === id ? { ...one, summary } : one)),
      );
      return queries.invalidateQueries({ queryKey: keys.conversations(agentId) });
    },
  });
}

export function useDeleteConversation(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        api.v1.DELETE("/v1/conversations/{conversation_id}", { params: { path: { conversation_id: id } } }),
      ),
    onSuccess: (_, id) => {
      queries.setQueryData<Conversation[]>(keys.conversations(agentId), (before) =>
        before?.filter((one) => one.id !== id),
      );
      queries.removeQueries({ queryKey: keys.messages(agentId, id) });
      return queries.invalidateQueries({ queryKey: keys.conversations(agentId) });
    },
  });
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { useLack } from "@/api/use-lack";
import { readFound } from "./found";

/** Rows of one kind. */
const MOST = 12;
/** Characters from which looking is worth it. */
const FEW = 2;

export function useAgentNames() {
  return useQuery(agentsQuery(useApi()));
}

/** Conversations whose title contains the words. */
export function useFoundConversations(words: string) {
  const api = useApi();
  const lack = useLack("conversations");
  return useQuery({
    queryKey: ["search", "conversations", words],
    enabled: words.length >= FEW && lack === null,
    placeholderData: keepPreviousData,
    queryFn: () =>
      unwrap(api.v1.GET("/v1/conversations/", { params: { query: { summary_search: words, limit: MOST } } })),
  });
}

/** Messages of all agents, by the store's full text. */
export function useFoundMessages(words: string, offered: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["search", "messages", words],
    enabled: words.length >= FEW && offered,
    placeholderData: keepPreviousData,
    queryFn: async () =>
      readFound(
        await api.json<unknown>("POST", "/v1/messages/search", {
          query: words,
          search_mode: "fts",
          limit: MOST,
        }),
      ),
  });
}

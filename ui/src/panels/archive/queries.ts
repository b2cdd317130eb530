import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";

const PAGE = 50;
/** Hits of one search. */
const MOST = 50;

/** A passage as it is shown, whether it was listed or found. */
export type Entry = { id: string; text: string; tags: readonly string[]; at: string | null };

/** What the agent filed away, newest first. */
export function usePassages(agentId: string) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...keys.passages(agentId), "all"],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam }) => {
      const page = await unwrap(
        api.v1.GET("/v1/agents/{agent_id}/archival-memory", {
          params: {
            path: { agent_id: agentId },
            // Of a list that begins with the newest, what comes after is older.
            query: { limit: PAGE, ascending: false, ...(pageParam ? { after: pageParam } : {}) },
          },
        }),
      );
      return page.map(
        ({ id, text, tags, created_at }): Entry => ({ id, text, tags: tags ?? [], at: created_at ?? null }),
      );
    },
    getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)?.id : undefined),
  });
}

/** What fits the words, best first. */
export function useFoundPassages(agentId: string, words: string) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.passages(agentId), "search", words],
    enabled: words !== "",
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const { results } = await unwrap(
        api.v1.GET("/v1/agents/{agent_id}/archival-memory/search", {
          params: { path: { agent_id: agentId }, query: { query: words, top_k: MOST } },
        }),
      );
      return results.map(
        ({ id, content, tags, timestamp }): Entry => ({ id, text: content, tags, at: timestamp }),
      );
    },
  });
}

export type NewPassage = { text: string; tags: string[] };

export function useAddPassage(agentId: string) {
  const api = useApi();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: (passage: NewPassage) =>
      unwrap(
        api.v1.POST("/v1/agents/{agent_id}/archival-memory", {
          params: { path: { agent_id: agentId } },
          body: passage,
        }),
      ),
    onSuccess: reread,
  });
}

export function useDeletePassage(agentId: string) {
  const api = useApi();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        api.v1.DELETE("/v1/agents/{agent_id}/archival-memory/{memory_id}", {
          params: { path: { agent_id: agentId, memory_id: id } },
        }),
      ),
    onSuccess: reread,
  });
}

function useReread(agentId: string) {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: keys.passages(agentId) });
}

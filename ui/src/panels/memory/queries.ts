import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { toApiError } from "@/api/error";
import { keys } from "@/api/queries";
import type { Block, BlockUpdate } from "@/api/types";

export type NewBlock = { label: string; description: string; value: string; limit: number };

export function useBlocks(agentId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.blocks(agentId),
    queryFn: async () => {
      const blocks = await unwrap(
        api.v1.GET("/v1/agents/{agent_id}/core-memory/blocks", {
          params: { path: { agent_id: agentId }, query: { limit: 100 } },
        }),
      );
      // The route orders by id, which means nothing to a person and is different on every machine.
      return blocks.toSorted((a, b) => (a.label ?? "").localeCompare(b.label ?? ""));
    },
  });
}

/** Stores a value only if the block still has the one it was edited from; false when it does not. */
export function useSaveBlock(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  const replace = (block: Block) =>
    queries.setQueryData<Block[]>(keys.blocks(agentId), (before) =>
      before?.map((other) => (other.id === block.id ? block : other)),
    );
  return useMutation({
    mutationFn: async ({ id, text, base }: { id: string; text: string; base: string }): Promise<boolean> => {
      const path = { block_id: id };
      const now = await unwrap(api.v1.GET("/v1/blocks/{block_id}", { params: { path } }));
      if (now.value !== base) {
        replace(now);
        return false;
      }
      replace(
        await unwrap(
          api.v1.PATCH("/v1/blocks/{block_id}", {
            params: { path },
            body: { value: text } satisfies Partial<BlockUpdate> as BlockUpdate,
          }),
        ),
      );
      return true;
    },
  });
}

export function useCreateBlock(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ label, description, value, limit }: NewBlock) => {
      const block = await unwrap(
        api.v1.POST("/v1/blocks/", {
          body: { label, value, limit, description: description || null },
        }),
      );
      const path = { agent_id: agentId, block_id: block.id };
      try {
        await unwrap(
          api.v1.PATCH("/v1/agents/{agent_id}/core-memory/blocks/attach/{block_id}", { params: { path } }),
        );
      } catch (thrown) {
        // A block nobody uses would stay behind, for instance when the label is taken.
        await api.v1
          .DELETE("/v1/blocks/{block_id}", { params: { path: { block_id: block.id } } })
          .catch(() => {});
        throw toApiError(thrown);
      }
      return block;
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.blocks(agentId) }),
  });
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Api, unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { toApiError } from "@/api/error";
import { agentsQuery, keys } from "@/api/queries";
import { useIsLocal } from "@/api/use-local";
import type { BlockEdit, BlockVersion } from "@/api/workbench";

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

/** The order of the prompt, which the agent's own list keeps and the block route does not. */
export function useBlockOrder(agentId: string): readonly string[] {
  const { data } = useQuery(agentsQuery(useApi()));
  return useMemo(
    () => data?.find(({ id }) => id === agentId)?.blocks.flatMap(({ id }) => (id ? [id] : [])) ?? [],
    [data, agentId],
  );
}

/** The newest versions of a block, newest first. Only this machine keeps them. */
export function useVersions(agentId: string, blockId: string, limit: number) {
  const api = useApi();
  const local = useIsLocal();
  return useQuery({
    queryKey: [...keys.blocks(agentId), blockId, "versions", limit],
    queryFn: () =>
      api.json<BlockVersion[]>(
        "GET",
        `/workbench/blocks/${encodeURIComponent(blockId)}/versions?limit=${limit}`,
      ),
    enabled: local,
    placeholderData: (before) => before,
  });
}

/** Other agents that read and edit the same block. */
export function useSharers(agentId: string, blockId: string) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.blocks(agentId), blockId, "agents"],
    queryFn: () =>
      unwrap(api.v1.GET("/v1/blocks/{block_id}/agents", { params: { path: { block_id: blockId } } })),
    select: (agents) => agents.filter(({ id }) => id !== agentId).map(({ name }) => name),
  });
}

/** Changes a block. Resolves false when it says something else than the edit was made from. */
export function useEditBlock(agentId: string) {
  const api = useApi();
  const local = useIsLocal();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: async ({ id, edit }: { id: string; edit: BlockEdit }): Promise<boolean> => {
      if (!local) return editElsewhere(api, id, edit);
      try {
        await api.json("PATCH", `/workbench/blocks/${encodeURIComponent(id)}`, edit);
        return true;
      } catch (thrown) {
        if (edit.base_value !== undefined && toApiError(thrown).status === 409) return false;
        throw thrown;
      }
    },
    onSuccess: reread,
  });
}

/** Another server knows no versions: what can be checked is the value, right before it is written. */
async function editElsewhere(api: Api, id: string, { base_value, ...change }: BlockEdit): Promise<boolean> {
  const path = { block_id: id };
  if (base_value !== undefined) {
    const now = await unwrap(api.v1.GET("/v1/blocks/{block_id}", { params: { path } }));
    if (now.value !== base_value) return false;
  }
  await api.json("PATCH", `/v1/blocks/${encodeURIComponent(id)}`, change);
  return true;
}

export function useRestore(agentId: string) {
  const api = useApi();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: ({ id, version, base }: { id: string; version: number; base: number }) =>
      api.json<{ version: number }>("POST", `/workbench/blocks/${encodeURIComponent(id)}/restore`, {
        version,
        base_version: base,
      }),
    // A refusal means that the block moved on: what is shown is old either way.
    onSettled: reread,
  });
}

/** Blocks that exist and that this agent has not. */
export function useOtherBlocks(agentId: string, attached: readonly string[]) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.blocks(agentId), "others"],
    queryFn: () => unwrap(api.v1.GET("/v1/blocks/", { params: { query: { limit: 1000 } } })),
    select: (blocks) => blocks.filter(({ id }) => !attached.includes(id ?? "")),
  });
}

export function useAttach(agentId: string) {
  const api = useApi();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: (blockId: string) =>
      unwrap(
        api.v1.PATCH("/v1/agents/{agent_id}/core-memory/blocks/attach/{block_id}", {
          params: { path: { agent_id: agentId, block_id: blockId } },
        }),
      ),
    onSuccess: reread,
  });
}

export function useDetach(agentId: string) {
  const api = useApi();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: (blockId: string) =>
      unwrap(
        api.v1.PATCH("/v1/agents/{agent_id}/core-memory/blocks/detach/{block_id}", {
          params: { path: { agent_id: agentId, block_id: blockId } },
        }),
      ),
    onSuccess: reread,
  });
}

/** Puts the blocks into this order. */
export function useReorder(agentId: string) {
  const api = useApi();
  const reread = useReread(agentId);
  return useMutation({
    mutationFn: (blockIds: readonly string[]) =>
      api.json("PATCH", `/v1/agents/${encodeURIComponent(agentId)}`, { block_ids: blockIds }),
    onSuccess: reread,
  });
}

function useReread(agentId: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.blocks(agentId) }),
      queries.invalidateQueries({ queryKey: keys.agents() }),
    ]);
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

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { agentsQuery, approvalsQuery, keys, modelsQuery } from "@/api/queries";
import type { Agent } from "@/api/types";
import { useDrafts, useOutbox } from "@/run/outbox";

export type NewAgent = { name: string; model: string; persona: string; human: string };

export function useAgents() {
  return useQuery(agentsQuery(useApi()));
}

export function useModels() {
  return useQuery(modelsQuery(useApi()));
}

/** How many approvals wait, by agent. */
export function useWaiting(): Record<string, number> {
  const { data } = useQuery(approvalsQuery(useApi()));
  const counts: Record<string, number> = {};
  for (const { agent_id } of data ?? []) counts[agent_id] = (counts[agent_id] ?? 0) + 1;
  return counts;
}

export function useCreateAgent() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, model, persona, human }: NewAgent): Promise<Agent> =>
      unwrap(
        api.v1.POST("/v1/agents/", {
          body: {
            name,
            model,
            memory_blocks: [
              { label: "persona", value: persona },
              { label: "human", value: human },
            ],
          },
        }),
      ),
    onSuccess: (agent) => {
      queries.setQueryData(agentsQuery(api).queryKey, (before) => (before ? [agent, ...before] : [agent]));
      return queries.invalidateQueries({ queryKey: keys.agents() });
    },
  });
}

export function useDeleteAgent() {
  const api = useApi();
  const queries = useQueryClient();
  const forgetQueue = useOutbox((outbox) => outbox.forget);
  const forgetDrafts = useDrafts((drafts) => drafts.forget);
  return useMutation({
    mutationFn: (agentId: string) =>
      unwrap(api.v1.DELETE("/v1/agents/{agent_id}", { params: { path: { agent_id: agentId } } })),
    onSuccess: (_, agentId) => {
      forgetQueue(agentId);
      forgetDrafts(agentId);
      queries.removeQueries({ queryKey: ["agent", agentId] });
      queries.setQueryData(agentsQuery(api).queryKey, (before) => before?.filter(({ id }) => id !== agentId));
      return Promise.all([
        queries.invalidateQueries({ queryKey: keys.agents() }),
        queries.invalidateQueries({ queryKey: keys.approvals() }),
      ]);
    },
  });
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { asksSomebody } from "@/api/approvals";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { addAgent, agentsQuery, approvalsQuery, keys, modelsQuery } from "@/api/queries";
import type { Agent, AgentUpdate, CreateAgent } from "@/api/types";
import { useDrafts, useOutbox } from "@/run/outbox";

export type NewAgent = {
  name: string;
  model: string;
  persona: string;
  human: string;
  /** Besides these two; they begin empty. */
  blocks: ReadonlyArray<{ label: string; description: string }>;
  /** Ids of tools besides those every agent has. */
  tools: readonly string[];
};

export function useAgents() {
  return useQuery(agentsQuery(useApi()));
}

export function useModels() {
  return useQuery(modelsQuery(useApi()));
}

/** Tools that people made or brought, for those an agent does not have anyway. */
export function useOwnTools() {
  const api = useApi();
  return useQuery({
    queryKey: ["tools", "own"],
    queryFn: async () => {
      const all = await unwrap(api.v1.GET("/v1/tools/", { params: { query: { limit: 1000 } } }));
      return all.flatMap(({ id, name, description, tool_type }) =>
        id && name && (tool_type === "custom" || tool_type === "external_mcp")
          ? [{ id, name, description: description ?? "" }]
          : [],
      );
    },
  });
}

/** How many approvals wait for a person, by agent. */
export function useWaiting(): Record<string, number> {
  const { data } = useQuery(approvalsQuery(useApi()));
  const counts: Record<string, number> = {};
  for (const approval of data ?? []) {
    if (asksSomebody(approval)) counts[approval.agent_id] = (counts[approval.agent_id] ?? 0) + 1;
  }
  return counts;
}

export function useCreateAgent() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, model, persona, human, blocks, tools }: NewAgent): Promise<Agent> =>
      unwrap(
        api.v1.POST("/v1/agents/", {
          body: {
            name,
            model,
            memory_blocks: [
              { label: "persona", value: persona },
              { label: "human", value: human },
              ...blocks.map((block) => ({ ...block, value: "" })),
            ],
            ...(tools.length > 0 ? { tool_ids: [...tools] } : {}),
          },
        }),
      ),
    onSuccess: (agent) => addAgent(queries, api, agent),
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

/** One agent with everything that belongs to it; the list has only what a list shows. */
export function useAgent(agentId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.agent(agentId),
    queryFn: () => unwrap(api.v1.GET("/v1/agents/{agent_id}", { params: { path: { agent_id: agentId } } })),
  });
}

export function useUpdateAgent(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: AgentUpdate) =>
      unwrap(api.v1.PATCH("/v1/agents/{agent_id}", { params: { path: { agent_id: agentId } }, body })),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.agents() }),
        queries.invalidateQueries({ queryKey: ["agent", agentId] }),
      ]),
  });
}

/** A new agent with the same settings, tools and tags, and blocks of its own that say the same. No secrets. */
export function useDuplicateAgent() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ agentId, name }: { agentId: string; name: string }): Promise<Agent> => {
      const agent = await unwrap(
        api.v1.GET("/v1/agents/{agent_id}", { params: { path: { agent_id: agentId } } }),
      );
      return unwrap(api.v1.POST("/v1/agents/", { body: copyOf(agent, name) }));
    },
    onSuccess: (agent) => addAgent(queries, api, agent),
  });
}

export function copyOf(agent: Agent, name: string): CreateAgent {
  return {
    name,
    agent_type: agent.agent_type,
    description: agent.description,
    metadata: agent.metadata,
    system: agent.system,
    model: agent.model,
    model_settings: agent.model_settings,
    embedding: agent.embedding,
    context_window_limit: agent.llm_config.context_window,
    compaction_settings: agent.compaction_settings,
    response_format: agent.response_format,
    timezone: agent.timezone,
    tags: agent.tags,
    tool_ids: agent.tools.map(({ id }) => id).filter((id): id is string => typeof id === "string"),
    tool_rules: agent.tool_rules,
    include_base_tools: false,
    include_base_tool_rules: false,
    memory_blocks: agent.blocks.map(({ label, value, limit, description, read_only }) => ({
      label: label ?? "",
      value,
      limit,
      description,
      read_only,
    })),
  };
}

// Query keys, and the queries more than one panel reads. A panel's own queries are beside the panel.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Api } from "./client";
import { unwrap } from "./client";
import type { Agent } from "./types";
import type { Approval, ClientTools, Connection, Provider, Settings, Status } from "./workbench";

export const keys = {
  agents: () => ["agents"] as const,
  agent: (agentId: string) => ["agent", agentId, "state"] as const,
  blocks: (agentId: string) => ["agent", agentId, "blocks"] as const,
  /** Of every thread of the agent, or of one: `null` is the main conversation. */
  messages: (agentId: string, conversationId?: string | null) =>
    [
      "agent",
      agentId,
      "messages",
      ...(conversationId === undefined ? [] : [conversationId ?? "main"]),
    ] as const,
  conversations: (agentId: string) => ["agent", agentId, "conversations"] as const,
  /** What the agent filed away. */
  passages: (agentId: string) => ["agent", agentId, "passages"] as const,
  tools: (agentId: string) => ["agent", agentId, "tools"] as const,
  allTools: () => ["tools"] as const,
  /** The client tools this person wrote. */
  ownTools: () => ["own-tools"] as const,
  clientTools: (agentId: string) => ["agent", agentId, "client-tools"] as const,
  /** Calls of client tools that run now, of all agents. */
  clientCalls: () => ["client-calls"] as const,
  activeRuns: (agentId: string) => ["agent", agentId, "active-runs"] as const,
  approvals: () => ["approvals"] as const,
  rules: () => ["rules"] as const,
  models: () => ["models"] as const,
  providers: () => ["providers"] as const,
  settings: () => ["settings"] as const,
  status: () => ["status"] as const,
  budgets: () => ["budgets"] as const,
  connections: () => ["connections"] as const,
};

export const agentsQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.agents(),
    queryFn: () =>
      unwrap(
        api.v1.GET("/v1/agents/", {
          params: { query: { limit: 1000, include: ["agent.blocks", "agent.tags"] } },
        }),
      ),
  });

export const modelsQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.models(),
    queryFn: () => unwrap(api.v1.GET("/v1/models/")),
  });

export const approvalsQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.approvals(),
    queryFn: () => api.json<Approval[]>("GET", "/workbench/approvals"),
    // The event stream announces them; this is for the moments it is down.
    refetchInterval: 30_000,
  });

/** Runs of an agent that are under way, whoever started them. */
export const activeRunsQuery = (api: Api, agentId: string) =>
  queryOptions({
    queryKey: keys.activeRuns(agentId),
    queryFn: () =>
      unwrap(api.v1.GET("/v1/runs/", { params: { query: { agent_id: agentId, active: true, limit: 20 } } })),
  });

export const clientToolsQuery = (api: Api, agentId: string) =>
  queryOptions({
    queryKey: keys.clientTools(agentId),
    queryFn: () =>
      api.json<ClientTools>("GET", `/workbench/client-tools?agent_id=${encodeURIComponent(agentId)}`),
  });

export const providersQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.providers(),
    queryFn: () => api.json<Provider[]>("GET", "/workbench/providers"),
  });

export const statusQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.status(),
    queryFn: () => api.json<Status>("GET", "/workbench/status"),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const connectionsQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.connections(),
    queryFn: () => api.json<Connection[]>("GET", "/workbench/connections"),
  });

export const settingsQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.settings(),
    queryFn: () => api.json<Settings>("GET", "/workbench/settings"),
  });

/** Shows an agent that was just made at once, and has the list read again. */
export function addAgent(queries: QueryClient, api: Api, agent: Agent): Promise<void> {
  queries.setQueryData(agentsQuery(api).queryKey, (before) => (before ? [agent, ...before] : [agent]));
  return queries.invalidateQueries({ queryKey: keys.agents() });
}

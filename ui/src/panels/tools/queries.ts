import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { agentsQuery, clientToolsQuery, keys } from "@/api/queries";
import type { ClientTools, WorkFolder } from "@/api/workbench";

export function useClientTools(agentId: string) {
  return useQuery(clientToolsQuery(useApi(), agentId));
}

/** Every change answers with how things stand now. */
function useChange<T>(agentId: string, path: string, body: (wish: T) => object) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: T) => api.json<ClientTools>("PUT", path, { agent_id: agentId, ...body(wish) }),
    onSuccess: (now) => queries.setQueryData(clientToolsQuery(api, agentId).queryKey, now),
  });
}

export function useChooseFolders(agentId: string) {
  return useChange(agentId, "/workbench/client-tools/folders", (folders: WorkFolder[]) => ({ folders }));
}

export function useOffer(agentId: string) {
  return useChange(
    agentId,
    "/workbench/client-tools/offered",
    (wish: { tool: string; offered: boolean }) => wish,
  );
}

export function useAgentTools(agentId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.tools(agentId),
    queryFn: () =>
      unwrap(
        api.v1.GET("/v1/agents/{agent_id}/tools", {
          params: { path: { agent_id: agentId }, query: { limit: 1000 } },
        }),
      ),
  });
}

/** The names of the tools a person is asked about for this agent. */
export function useAskedFor(agentId: string): ReadonlySet<string> {
  const { data } = useQuery(agentsQuery(useApi()));
  const rules = data?.find(({ id }) => id === agentId)?.tool_rules ?? [];
  return new Set(
    rules.flatMap((rule) => (rule.type === "requires_approval" && rule.tool_name ? [rule.tool_name] : [])),
  );
}

export function useAllTools(wanted: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: keys.allTools(),
    queryFn: () => unwrap(api.v1.GET("/v1/tools/", { params: { query: { limit: 1000 } } })),
    enabled: wanted,
  });
}

function useReread(agentId: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.tools(agentId) }),
      queries.invalidateQueries({ queryKey: keys.agents() }),
    ]);
}

export function useAttachTool(agentId: string) {
  const api = useApi();
  return useMutation({
    mutationFn: (toolId: string) =>
      unwrap(
        api.v1.PATCH("/v1/agents/{agent_id}/tools/attach/{tool_id}", {
          params: { path: { agent_id: agentId, tool_id: toolId } },
        }),
      ),
    onSuccess: useReread(agentId),
  });
}

export function useDetachTool(agentId: string) {
  const api = useApi();
  return useMutation({
    mutationFn: (toolId: string) =>
      unwrap(
        api.v1.PATCH("/v1/agents/{agent_id}/tools/detach/{tool_id}", {
          params: { path: { agent_id: agentId, tool_id: toolId } },
        }),
      ),
    onSuccess: useReread(agentId),
  });
}

export function useAskBefore(agentId: string) {
  const api = useApi();
  return useMutation({
    mutationFn: ({ tool, ask }: { tool: string; ask: boolean }) =>
      unwrap(
        api.v1.PATCH("/v1/agents/{agent_id}/tools/approval/{tool_name}", {
          params: { path: { agent_id: agentId, tool_name: tool } },
          body: { requires_approval: ask },
        }),
      ),
    onSuccess: useReread(agentId),
  });
}

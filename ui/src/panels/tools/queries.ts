import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { clientToolsQuery, keys } from "@/api/queries";
import type { ClientTools } from "@/api/workbench";

export function useClientTools(agentId: string) {
  return useQuery(clientToolsQuery(useApi(), agentId));
}

export function useChooseFolder(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (folder: string | null) =>
      api.json<ClientTools>("PUT", "/workbench/client-tools/folder", { agent_id: agentId, folder }),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.clientTools(agentId) }),
  });
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

// Which agents have a tool, and giving it to them or taking it away: attached in the server, offered on this machine.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { StoredTool } from "./draft";
import { keyOf } from "./queries";

/** An agent that has the tool. */
export type Holder = { id: string; asks: boolean };

type Attached = { id: string; requires_approval: boolean };
type Chosen = { agent_id: string; offered: boolean };

export function useHolders(tool: StoredTool) {
  const api = useApi();
  return useQuery({
    queryKey: keyOf(tool, "holders"),
    queryFn: async (): Promise<Holder[]> => {
      if (tool.place === "server") {
        const path = `/workbench/tools/${encodeURIComponent(tool.id)}/used-by`;
        const users = await api.json<Attached[]>("GET", path);
        return users.map(({ id, requires_approval }) => ({ id, asks: requires_approval }));
      }
      const path = `/workbench/client-tools/offered?tool=${encodeURIComponent(tool.name ?? "")}`;
      const chosen = await api.json<Chosen[]>("GET", path);
      return chosen.filter(({ offered }) => offered).map(({ agent_id }) => ({ id: agent_id, asks: true }));
    },
  });
}

export function useGive(tool: StoredTool) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ agentId, on }: { agentId: string; on: boolean }) => {
      if (tool.place === "machine") {
        const body = { agent_id: agentId, tool: tool.name, offered: on ? true : null };
        return api.json("PUT", "/workbench/client-tools/offered", body);
      }
      const [agent, id] = [agentId, tool.id].map(encodeURIComponent);
      return api.json("PATCH", `/v1/agents/${agent}/tools/${on ? "attach" : "detach"}/${id}`);
    },
    onSuccess: (_, { agentId }) =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keyOf(tool, "holders") }),
        queries.invalidateQueries({ queryKey: ["agent", agentId] }),
        queries.invalidateQueries({ queryKey: keys.agents() }),
      ]),
  });
}

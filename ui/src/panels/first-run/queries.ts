import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { ApiError } from "@/api/error";
import { addAgent, keys, modelsQuery, providersQuery } from "@/api/queries";
import type { Agent } from "@/api/types";
import type { ProviderTest } from "@/api/workbench";
import { handleOf, isRehearsal } from "@/lib/model-name";
import type { Service } from "./services";

/** Milliseconds between two looks for a model that may be starting right now. */
const LOOK = 5_000;

/** The models that answer already, without the stand-in. */
export function useReadyModels() {
  const api = useApi();
  const models = useQuery({ ...modelsQuery(api), refetchInterval: LOOK });
  const providers = useQuery(providersQuery(api));
  return {
    isPending: models.isPending,
    error: models.error,
    refetch: models.refetch,
    handles: (models.data ?? []).map(handleOf).filter((handle) => !isRehearsal(handle)),
    rehearsal: (models.data ?? []).map(handleOf).find(isRehearsal) ?? null,
    /** Names of the providers whose models run on this machine. */
    local: new Set(
      (providers.data ?? []).filter(({ base_url }) => isLoopback(base_url)).map(({ name }) => name),
    ),
  };
}

export function isLoopback(address: string | null): boolean {
  try {
    const { hostname } = new URL(address ?? "");
    return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  } catch {
    return false;
  }
}

type First = { name: string; persona: string; model: string };

/** The first agent, ready to be talked to. */
export function useFirstAgent() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, persona, model }: First): Promise<Agent> =>
      unwrap(
        api.v1.POST("/v1/agents/", {
          body: {
            name,
            model,
            memory_blocks: [
              { label: "persona", value: persona },
              { label: "human", value: "" },
            ],
          },
        }),
      ),
    onSuccess: (agent) => addAgent(queries, api, agent),
  });
}

/** Tries a key before keeping it, and answers with the models it opens. */
export function useKey() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ service, key }: { service: Service; key: string }): Promise<string[]> => {
      const provider = {
        name: service.name,
        provider_type: service.type,
        base_url: service.address,
        api_key: key,
      };
      const tried = await api.json<ProviderTest>("POST", "/workbench/providers/try", provider);
      if (!tried.ok) throw new ApiError(tried.said.message, "model", null, tried.said.code ?? null);
      await api.json("POST", "/workbench/providers", provider);
      return tried.models;
    },
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.providers() }),
        queries.invalidateQueries({ queryKey: keys.models() }),
      ]),
  });
}

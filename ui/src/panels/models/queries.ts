import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { keys, modelsQuery, providersQuery, statusQuery } from "@/api/queries";
import type { NewProvider, Provider, ProviderChange, ProviderKind, ProviderTest } from "@/api/workbench";

export function useProviders() {
  return useQuery(providersQuery(useApi()));
}

export function useModels() {
  return useQuery(modelsQuery(useApi()));
}

export function useStatus() {
  return useQuery(statusQuery(useApi()));
}

function useReread() {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.providers() }),
      queries.invalidateQueries({ queryKey: keys.models() }),
    ]);
}

export function useAddProvider() {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (provider: NewProvider) => api.json<Provider>("POST", "/workbench/providers", provider),
    onSuccess: reread,
  });
}

export function useChangeProvider(id: string) {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (change: ProviderChange) =>
      api.json<Provider>("PATCH", `/workbench/providers/${encodeURIComponent(id)}`, change),
    onSuccess: reread,
  });
}

export function useDeleteProvider() {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (id: string) => api.json<unknown>("DELETE", `/workbench/providers/${encodeURIComponent(id)}`),
    onSuccess: reread,
  });
}

export function useTestProvider() {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (id: string) =>
      api.json<ProviderTest>("POST", `/workbench/providers/${encodeURIComponent(id)}/test`),
    onSuccess: reread,
  });
}

/** Keeps an agent's context within what its model was seen to read. */
export function useLimitContext(agentId: string) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (context_window_limit: number) =>
      unwrap(
        api.v1.PATCH("/v1/agents/{agent_id}", {
          params: { path: { agent_id: agentId } },
          body: { context_window_limit },
        }),
      ),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.agents() }),
        queries.invalidateQueries({ queryKey: ["agent", agentId] }),
      ]),
  });
}

/** What one can add; a server that does not say knows the two protocols every other one speaks. */
export function useProviderKinds() {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.providers(), "kinds"],
    queryFn: () => api.json<ProviderKind[]>("GET", "/workbench/providers/kinds"),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Asks a provider for its models before it is kept. */
export function useTryProvider() {
  const api = useApi();
  return useMutation({
    mutationFn: (provider: NewProvider) =>
      api.json<ProviderTest>("POST", "/workbench/providers/try", provider),
  });
}

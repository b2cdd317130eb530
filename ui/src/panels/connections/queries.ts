import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { connectionsQuery, keys } from "@/api/queries";
import { moveTo } from "@/api/reach";
import type { Connection, Health } from "@/api/workbench";

export type NewConnection = { name?: string; base_url: string; key?: string; ca_file?: string };

export function useConnections() {
  return useQuery(connectionsQuery(useApi()));
}

const at = (id: string, what = "") => `/workbench/connections/${encodeURIComponent(id)}${what}`;

function useReread() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: keys.connections() });
}

export function useAddConnection() {
  const api = useApi();
  return useMutation({
    mutationFn: (connection: NewConnection) =>
      api.json<Connection>("POST", "/workbench/connections", connection),
    onSuccess: useReread(),
  });
}

/** Looks whether a server answers, before it is kept. */
export function useTryConnection() {
  const api = useApi();
  return useMutation({
    mutationFn: (connection: NewConnection) =>
      api.json<Health>("POST", "/workbench/connections/try", connection),
  });
}

export function useChangeConnection(id: string) {
  const api = useApi();
  return useMutation({
    mutationFn: (change: Partial<NewConnection>) => api.json<Connection>("PATCH", at(id), change),
    onSuccess: useReread(),
  });
}

export function useRemoveConnection() {
  const api = useApi();
  return useMutation({
    mutationFn: (id: string) => api.json("DELETE", at(id)),
    onSuccess: useReread(),
  });
}

export function useCheckConnection(id: string) {
  const api = useApi();
  return useMutation({
    mutationFn: () => api.json<Connection>("POST", at(id, "/check")),
    onSettled: useReread(),
  });
}

/** Asks the server in use how it is, then has everything read again. `null` for this machine, which need not be asked. */
export function useRetryConnection() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string | null) => (id === null ? Promise.resolve() : api.json("POST", at(id, "/check"))),
    onSettled: () => queries.invalidateQueries(),
  });
}

/** Everything on screen belongs to the connection before: all of it is read again. */
export function useSelectConnection() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.json("POST", at(id, "/select")),
    onSuccess: async (_, id) => {
      await moveTo(id, queries);
      await Promise.all([
        queries.invalidateQueries({ queryKey: keys.connections() }),
        queries.invalidateQueries({ queryKey: keys.status() }),
        queries.invalidateQueries({ queryKey: keys.approvals() }),
      ]);
    },
  });
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { connectionsQuery, keys } from "@/api/queries";
import { forgetTrouble } from "@/api/reach";
import type { Connection, Health } from "@/api/workbench";

export type NewConnection = { name?: string; base_url: string; key?: string; ca_file?: string };

export function useConnections() {
  return useQuery(connectionsQuery(useApi()));
}

/** What belongs to this person, whatever server their agents are on. */
const OF_THE_DESK = new Set(["settings", "status", "connections", "providers", "approvals", "rules"]);

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
      api.json<{ health: Health }>("POST", "/workbench/connections/try", connection),
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
    onSuccess: async () => {
      forgetTrouble();
      // What waits for the server before would hold up what is asked of this one.
      await queries.cancelQueries();
      // The agents of the server before must not be shown as this one's, not even for a moment.
      const ofTheDesk = ({ queryKey }: { queryKey: readonly unknown[] }) =>
        OF_THE_DESK.has(String(queryKey[0]));
      void queries.resetQueries({ predicate: (query) => !ofTheDesk(query) });
      await queries.invalidateQueries({ predicate: ofTheDesk });
    },
  });
}

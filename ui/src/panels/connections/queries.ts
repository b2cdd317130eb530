import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";

export type Health = {
  ok: boolean;
  checked_at: string;
  version: string | null;
  latency_ms: number | null;
  /** What a person should know, in a sentence. */
  message: string;
  code: string | null;
};

/** Where agents run: this machine, or another server. */
export type Connection = {
  id: string;
  kind: "local" | "remote";
  name: string;
  base_url: string | null;
  ca_file: string | null;
  has_key: boolean;
  selected: boolean;
  health: Health | null;
  /** What cannot be done with it, with the reason. */
  lacks: { feature: string; reason: string }[];
  lacks_known: boolean;
  warning: string | null;
  problem: string | null;
};

export type NewConnection = { name?: string; base_url: string; key?: string; ca_file?: string };

const LIST = ["connections"] as const;

export function useConnections() {
  const api = useApi();
  return useQuery({
    queryKey: LIST,
    queryFn: () => api.json<Connection[]>("GET", "/workbench/connections"),
  });
}

const at = (id: string, what = "") => `/workbench/connections/${encodeURIComponent(id)}${what}`;

function useReread() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: LIST });
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

/** Everything on screen belongs to the connection before: all of it is read again. */
export function useSelectConnection() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.json("POST", at(id, "/select")),
    onSuccess: () => queries.invalidateQueries(),
  });
}

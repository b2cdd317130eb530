import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { keys, settingsQuery, statusQuery } from "@/api/queries";
import type { Said } from "@/api/said";
import type { Settings } from "@/api/workbench";

export function useSettings() {
  return useQuery(settingsQuery(useApi()));
}

export function useStatus() {
  return useQuery(statusQuery(useApi()));
}

export function useChangeSettings() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: Partial<Settings>) => api.json<Settings>("PATCH", "/workbench/settings", wish),
    onSuccess: (stored) => queries.setQueryData(settingsQuery(api).queryKey, stored),
  });
}

/** This machine's agents for other programs. */
export type LocalServer = {
  /** False where the program itself is that server. */
  can_change: boolean;
  on: boolean;
  port: number;
  base_url: string | null;
  token_file: string | null;
  needs_token: boolean;
  problem: Said | null;
};

const SERVER = [...keys.settings(), "server"] as const;

export function useLocalServer() {
  const api = useApi();
  return useQuery({ queryKey: SERVER, queryFn: () => api.json<LocalServer>("GET", "/workbench/server") });
}

export function useChangeServer() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: { on?: boolean; port?: number }) =>
      api.json<LocalServer>("PATCH", "/workbench/server", wish),
    onSuccess: (now) => queries.setQueryData(SERVER, now),
  });
}

export type SharedToken = { token: string; token_file: string | null };

/** Asked for by a press only, and kept nowhere but on the page that shows it. */
export function useToken() {
  const api = useApi();
  return useMutation({
    mutationFn: (wish: "show" | "rotate") =>
      api.json<SharedToken>(
        "POST",
        wish === "show" ? "/workbench/server/token" : "/workbench/server/token/rotate",
      ),
    gcTime: 0,
  });
}

export type DataPlace = { data_dir: string; bytes: number; backup_dir: string };

export function useDataPlace() {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.status(), "data"],
    queryFn: () => api.json<DataPlace>("GET", "/workbench/data"),
  });
}

export function useBackup() {
  const api = useApi();
  return useMutation({
    mutationFn: (file: string) =>
      api.json<{ file: string; bytes: number }>("POST", "/workbench/backup", file ? { file } : {}),
  });
}

/** An agent of this machine that was deleted and can still come back. */
export type DeletedAgent = { id: string; name: string; deleted_at: string; kept_until: string };

/** Under the agents' key: what changes those may change these. */
const DELETED = [...keys.agents(), "deleted"] as const;

export function useDeletedAgents() {
  const api = useApi();
  return useQuery({
    queryKey: DELETED,
    queryFn: () => api.json<DeletedAgent[]>("GET", "/workbench/deleted-agents"),
  });
}

export function useRestoreAgent() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (agentId: string) => api.json("POST", `/workbench/deleted-agents/${agentId}/restore`),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.agents() }),
  });
}

/** For good, at once. */
export function useForgetAgent() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (agentId: string) => api.json("DELETE", `/workbench/deleted-agents/${agentId}`),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.agents() }),
  });
}

// The llama-server Loci runs itself: what is to be run, how it is, and what it says.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { Said } from "@/api/said";

/** What is to be run. Null: left to the program. */
export type Launch = {
  program: string | null;
  /** Whole path of a GGUF file. */
  model: string | null;
  /** Tokens. */
  context_length: number | null;
  gpu_layers: number | null;
};

export type Managed = {
  phase: "stopped" | "starting" | "running" | "waiting" | "failed";
  launch: Launch;
  /** The program that is used; null if there is none. */
  program: string | null;
  pid: number | null;
  base_url: string | null;
  started_at: string | null;
  /** Tokens, as the server says. */
  context_in_force: number | null;
  /** Said when that is not what was asked for. */
  context_note: string | null;
  memory_bytes: number | null;
  tokens_per_second: number | null;
  restarts: number;
  problem: Said | null;
};

export type ModelFile = { path: string; name: string; bytes: number };

const ROOT = "/workbench/runtimes/llama-server";
const KEY = [...keys.providers(), "llama-server"] as const;

/** Milliseconds between looks while it changes, and while it only runs. */
const SOON = 1500;
const LATER = 5000;

export function isUp({ phase }: Managed): boolean {
  return phase === "starting" || phase === "running" || phase === "waiting";
}

export function useManaged() {
  const api = useApi();
  return useQuery({
    queryKey: KEY,
    queryFn: () => api.json<Managed>("GET", ROOT),
    refetchInterval: ({ state: { data } }) =>
      !data || !isUp(data) ? false : data.phase === "running" ? LATER : SOON,
  });
}

/** Model files in the usual folders of this machine. */
export function useModelFiles() {
  const api = useApi();
  return useQuery({
    queryKey: [...KEY, "files"],
    queryFn: () => api.json<ModelFile[]>("GET", `${ROOT}/files`),
    staleTime: 60_000,
  });
}

/** The newest lines of its output, oldest first. */
export function useManagedLog(isShown: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: [...KEY, "log"],
    queryFn: () => api.json<{ lines: string[] }>("GET", `${ROOT}/log?lines=200`),
    enabled: isShown,
    refetchInterval: SOON,
  });
}

/** Keeps what is to be run and starts it; one that runs is ended first. */
export function useStartManaged() {
  const api = useApi();
  const told = useTold();
  return useMutation({
    mutationFn: async (launch: Launch) => {
      await api.json<Managed>("PUT", ROOT, launch);
      return api.json<Managed>("POST", `${ROOT}/start`);
    },
    onSuccess: told,
  });
}

export function useStopManaged() {
  const api = useApi();
  return useMutation({
    mutationFn: () => api.json<Managed>("POST", `${ROOT}/stop`),
    onSuccess: useTold(),
  });
}

/** An answer says how it is now; its models come and go with it. */
function useTold() {
  const queries = useQueryClient();
  return (managed: Managed) => {
    queries.setQueryData(KEY, managed);
    return queries.invalidateQueries({ queryKey: keys.models() });
  };
}

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { unwrap } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { Said } from "@/api/said";
import { useIsLocal } from "@/api/use-local";

const PAGE = 30;

/** An agent's runs, newest first. Read again whenever its active runs are. */
export function useRuns(agentId: string) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...keys.activeRuns(agentId), "all"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      unwrap(
        api.v1.GET("/v1/runs/", {
          params: {
            query: {
              agent_id: agentId,
              limit: PAGE,
              order: "desc",
              // Of a list that begins with the newest, what comes after is older.
              ...(pageParam ? { after: pageParam } : {}),
            },
          },
        }),
      ),
    getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)?.id : undefined),
  });
}

/** The steps of a run, oldest first. */
export function useSteps(agentId: string, runId: string, running: boolean, offered: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.activeRuns(agentId), runId, "steps"],
    queryFn: () =>
      unwrap(
        api.v1.GET("/v1/runs/{run_id}/steps", {
          params: { path: { run_id: runId }, query: { limit: 500, order: "asc" } },
        }),
      ),
    enabled: offered,
    refetchInterval: running ? 2_000 : false,
  });
}

/** What the calls of a run cost at list prices, as counted on this machine; null where no price is known. */
export type Cost = { key: string; cost_usd: number | null; cost_is_partial: boolean };

/** The cost of a run and of each of its steps. */
export function useCosts(runId: string) {
  const api = useApi();
  const isLocal = useIsLocal();
  return useQuery({
    queryKey: [...keys.budgets(), "steps", runId],
    queryFn: () =>
      api.json<{ total: Cost; groups: Cost[] }>(
        "GET",
        `/workbench/usage?${new URLSearchParams({ group_by: "step", run_id: runId })}`,
      ),
    enabled: isLocal,
  });
}

/** Nanoseconds, where they were measured. */
export type StepTiming = {
  llm_request_ns: number | null;
  tool_execution_ns: number | null;
  step_ns: number | null;
  /** Calls that ran a person's code or reached outside; only a server like ours tells. */
  loci_tool_calls?: NotedCall[];
};

export type NotedCall = {
  tool_call_id: string;
  name: string;
  state: "started" | "success" | "error" | "unknown";
  /** What kept it within bounds, as a sentence. */
  confinement: string | null;
  /** The same in its parts. */
  confined?: Said[] | null;
};

export function useTiming(stepId: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["step", stepId, "metrics"],
    queryFn: () => api.json<StepTiming>("GET", `/v1/steps/${encodeURIComponent(stepId)}/metrics`),
  });
}

/** What exactly went to the model and came back; null when that is no longer kept. */
export type Trace = { request_json: unknown; response_json: unknown } | null;

export function useTrace(stepId: string, wanted: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ["step", stepId, "trace"],
    queryFn: () => api.json<Trace>("GET", `/v1/steps/${encodeURIComponent(stepId)}/trace`),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

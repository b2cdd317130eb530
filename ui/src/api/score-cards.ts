// Trials of models: what each came to, and what one would take. More than one panel shows them.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "./context";
import { keys } from "./queries";

export type Check = {
  name: string;
  verdict: "pass" | "warn" | "fail" | "skipped";
  /** What was seen, and what to do: names for which the window has words, and the server's own sentences. */
  finding: string | null;
  advice: string | null;
  detail: string;
  remedy: string | null;
  needed: boolean;
  evidence: Record<string, unknown>;
};

/** What a trial of a model came to. */
export type ScoreCard = {
  id: string;
  model: string;
  status: "running" | "finished" | "cancelled" | "interrupted";
  started_at: string;
  total: number;
  checks: Check[];
  fits_agents: boolean | null;
  /** Everything an agent needs was tried, at the address where the model is reached now. */
  is_current: boolean;
  effective_context_tokens: number | null;
  tokens_per_second: number | null;
};

/** What a trial would take, at list prices. */
export type TrialEstimate = {
  is_local: boolean;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  cost_usd: number | null;
  cost_at_most_usd: number | null;
};

const KEY = [...keys.models(), "score-cards"] as const;

/** The newest card of every model. Checks come one by one while a trial is under way. */
export function useScoreCards(wanted = true) {
  const api = useApi();
  return useQuery({
    queryKey: KEY,
    queryFn: () => api.json<ScoreCard[]>("GET", "/workbench/preflight"),
    enabled: wanted,
    refetchInterval: (query) =>
      query.state.data?.some(({ status }) => status === "running") ? 1_500 : false,
  });
}

/** Says what a trial of this model would take; nothing is asked of the model. */
export function useTrialEstimate(model: string, wanted: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: [...KEY, "estimate", model],
    queryFn: () =>
      api.json<TrialEstimate>("GET", `/workbench/preflight/estimate?${new URLSearchParams({ model })}`),
    enabled: wanted && model !== "",
    staleTime: 60_000,
  });
}

/** Begins and ends trials of one model. Nothing begins by itself: some models cost money. */
export function useTrial(model: string) {
  const api = useApi();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: KEY, exact: true });
  const start = useMutation({
    mutationFn: () => api.json<ScoreCard>("POST", "/workbench/preflight", { model }),
    onSettled,
  });
  const cancel = useMutation({
    mutationFn: (id: string) => api.json("POST", `/workbench/preflight/${encodeURIComponent(id)}/cancel`),
    onSettled,
  });
  return { start, cancel };
}

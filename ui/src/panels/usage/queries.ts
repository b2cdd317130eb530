import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { agentsQuery, keys } from "@/api/queries";
import { useIsLocal } from "@/api/use-local";

export const PERIODS = ["day", "month", "total"] as const;
export type Period = (typeof PERIODS)[number];

/** What may be used, and how far it is used up. */
export type Budget = {
  id: string;
  /** Null: all agents of this machine together. */
  agent_id: string | null;
  period: Period;
  /** US dollars at list prices. */
  limit_usd: number | null;
  limit_tokens: number | null;
  /** Per cent of a limit from which it is `warning`. */
  warn_percent: number;
  spent_usd: number;
  spent_tokens: number;
  /** Some calls have no known price: a limit in dollars does not see them. */
  cost_is_partial: boolean;
  standing: "ok" | "warning" | "stopped";
  renews_at: string | null;
};

/** A limit that is null does not limit. */
export type BudgetChange = {
  period: Period;
  limit_usd: number | null;
  limit_tokens: number | null;
  warn_percent: number;
};
export type NewBudget = BudgetChange & { agent_id?: string };

export const GROUPS = ["day", "agent", "conversation", "message", "model", "kind"] as const;
export type Group = (typeof GROUPS)[number];

/** The sum of some model calls; costs are at list prices. */
export type Sum = {
  key: string;
  /** What people call the thing the sum is of, and whose it is, where it still exists. */
  name?: string;
  agent_name?: string;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  tokens_estimated: boolean;
  cost_usd: number | null;
  cost_is_partial: boolean;
};
export type Usage = { total: Sum; groups: Sum[] };

/** What was used since a moment. */
export function useUsage(group: Group, from: Date) {
  const api = useApi();
  const since = from.toISOString();
  return useQuery({
    queryKey: [...keys.budgets(), "usage", group, since],
    queryFn: () => {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
      const wanted = new URLSearchParams({ group_by: group, from: since, timezone: timeZone });
      return api.json<Usage>("GET", `/workbench/usage?${wanted}`);
    },
  });
}

export function useBudgets(wanted = true) {
  const api = useApi();
  return useQuery({
    queryKey: keys.budgets(),
    queryFn: () => api.json<Budget[]>("GET", "/workbench/budgets"),
    enabled: wanted,
  });
}

/** The agents a budget can be for: those of this machine, where they are the ones on screen. */
export function useOwnAgents() {
  const isLocal = useIsLocal();
  const { data } = useQuery({ ...agentsQuery(useApi()), enabled: isLocal });
  return isLocal ? (data ?? []) : [];
}

const at = (id: string) => `/workbench/budgets/${encodeURIComponent(id)}`;

export function useAddBudget() {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (budget: NewBudget) => api.json<Budget>("POST", "/workbench/budgets", budget),
    onSuccess: reread,
  });
}

export function useChangeBudget(id: string) {
  const api = useApi();
  const reread = useReread();
  return useMutation({
    mutationFn: (change: BudgetChange) => api.json<Budget>("PATCH", at(id), change),
    onSuccess: reread,
  });
}

export function useDeleteBudget(id: string) {
  const api = useApi();
  const reread = useReread();
  return useMutation({ mutationFn: () => api.json("DELETE", at(id)), onSuccess: reread });
}

function useReread() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: keys.budgets() });
}

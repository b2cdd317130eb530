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

/** What is left out stays; an agent's budget stays that agent's. */
export type BudgetChange = {
  period: Period;
  limit_usd?: number;
  limit_tokens?: number;
  warn_percent: number;
};
export type NewBudget = BudgetChange & { agent_id?: string };

export function useBudgets() {
  const api = useApi();
  return useQuery({
    queryKey: keys.budgets(),
    queryFn: () => api.json<Budget[]>("GET", "/workbench/budgets"),
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

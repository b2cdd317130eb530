import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { count, dollars } from "@/lib/quantity";
import { ChangeBudget } from "./budget-form";
import { type Budget, useBudgets } from "./queries";

/** Budgets of this agent, or of all, that are nearly or wholly used up. */
export function pressing(budgets: readonly Budget[], agentId: string): Budget[] {
  return budgets.filter(
    ({ agent_id, standing }) => standing !== "ok" && (agent_id === null || agent_id === agentId),
  );
}

/** A word above the composer before a budget stops the agent, and the way to raise it. */
export function BudgetNotice({ agentId }: { agentId: string }) {
  const isLocal = useIsLocal();
  const { data } = useBudgets(isLocal);
  return pressing(data ?? [], agentId).map((budget) => <Pressing key={budget.id} budget={budget} />);
}

function Pressing({ budget }: { budget: Budget }) {
  const { t, i18n } = useTranslation();
  const [open, setOpen] = useState(false);
  const { limit_usd, limit_tokens, spent_usd, spent_tokens, standing, period } = budget;
  const name = t(budget.agent_id === null ? "budgets.everyone" : "budgets.thisAgent");
  const spent = [
    limit_usd === null
      ? null
      : t("budgets.spentUsd", {
          spent: dollars(spent_usd, i18n.language),
          limit: dollars(limit_usd, i18n.language),
        }),
    limit_tokens === null
      ? null
      : t("budgets.spentTokens", {
          spent: count(spent_tokens, i18n.language),
          limit: count(limit_tokens, i18n.language),
        }),
  ].filter((part) => part !== null);
  return (
    <section
      aria-label={t("budgets.notice")}
      className={cn(
        "flex items-center gap-2 rounded-md border px-3 py-2 text-xs",
        standing === "stopped" ? "border-danger bg-danger-soft" : "border-waiting bg-waiting-soft",
      )}
    >
      <p role="status" className="min-w-0 flex-1 tabular-nums">
        <span className="font-medium">
          {t(`budgets.pressing.${standing}`, { name, period: t(`budgets.periods.${period}`) })}
        </span>{" "}
        {spent.join(", ")}
      </p>
      <Button size="sm" onClick={() => setOpen(true)}>
        {t("budgets.raiseIt")}
      </Button>
      <ChangeBudget budget={budget} name={name} open={open} onOpenChange={setOpen} />
    </section>
  );
}

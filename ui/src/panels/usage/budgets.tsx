import { PenLine, Plus, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { count, dollars } from "@/lib/quantity";
import { AddBudget, ChangeBudget } from "./budget-form";
import { type Budget, useBudgets, useDeleteBudget, useOwnAgents } from "./queries";

/** What may be used, how far it is used up, and the place to change that. */
export function Budgets() {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useBudgets();
  const agents = useOwnAgents();
  const [adding, setAdding] = useState(false);
  const nameOf = ({ agent_id }: Budget) =>
    agent_id === null
      ? t("budgets.everyone")
      : (agents.find(({ id }) => id === agent_id)?.name ?? t("budgets.gone"));
  return (
    <section aria-labelledby="budgets-heading" className="flex flex-col gap-3">
      <header className="flex items-start justify-between gap-3">
        <div className="flex flex-col gap-1">
          <h2 id="budgets-heading" className="font-semibold">
            {t("budgets.heading")}
          </h2>
          <p className="text-muted-foreground">{t("budgets.explanation")}</p>
        </div>
        <Button size="sm" onClick={() => setAdding(true)}>
          <Plus aria-hidden className="size-3.5" />
          {t("budgets.add")}
        </Button>
      </header>
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {data?.length === 0 ? <p className="text-muted-foreground">{t("budgets.none")}</p> : null}
      <ul aria-labelledby="budgets-heading" className="flex flex-col gap-2 empty:hidden">
        {data?.map((budget) => (
          <BudgetRow key={budget.id} budget={budget} name={nameOf(budget)} />
        ))}
      </ul>
      <AddBudget open={adding} onOpenChange={setAdding} />
    </section>
  );
}

const EDGES: Record<Budget["standing"], string> = {
  ok: "",
  warning: "border-waiting",
  stopped: "border-danger",
};

const TONES: Record<Budget["standing"], string> = {
  ok: "text-muted-foreground",
  warning: "text-waiting-foreground",
  stopped: "text-danger",
};

function BudgetRow({ budget, name }: { budget: Budget; name: string }) {
  const { t, i18n } = useTranslation();
  const { period, limit_usd, limit_tokens, spent_usd, spent_tokens, standing, renews_at } = budget;
  const [open, setOpen] = useState<"change" | "delete" | null>(null);
  const close = (stays: boolean) => {
    if (!stays) setOpen(null);
  };
  return (
    <li
      aria-label={name}
      className={cn("flex flex-col gap-1.5 rounded-md border bg-card px-3 py-2", EDGES[standing])}
    >
      <div className="flex items-center gap-2">
        <span className="min-w-0 truncate font-medium">{name}</span>
        <span className="shrink-0 text-xs text-muted-foreground">{t(`budgets.periods.${period}`)}</span>
        <span className={cn("flex-1 text-right text-xs", TONES[standing])}>
          {t(`budgets.standing.${standing}`)}
        </span>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("budgets.change", { name })}
          title={t("budgets.change", { name })}
          onClick={() => setOpen("change")}
        >
          <PenLine aria-hidden className="size-3.5" />
        </Button>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("budgets.delete", { name })}
          title={t("budgets.delete", { name })}
          onClick={() => setOpen("delete")}
        >
          <Trash2 aria-hidden className="size-3.5" />
        </Button>
      </div>
      {limit_usd === null ? null : (
        <Spent used={spent_usd} limit={limit_usd} standing={standing}>
          {t("budgets.spentUsd", {
            spent: dollars(spent_usd, i18n.language),
            limit: dollars(limit_usd, i18n.language),
          })}
        </Spent>
      )}
      {limit_tokens === null ? null : (
        <Spent used={spent_tokens} limit={limit_tokens} standing={standing}>
          {t("budgets.spentTokens", {
            spent: count(spent_tokens, i18n.language),
            limit: count(limit_tokens, i18n.language),
          })}
        </Spent>
      )}
      {limit_usd !== null && budget.cost_is_partial ? (
        <p className="text-xs text-waiting-foreground">{t("budgets.partial")}</p>
      ) : null}
      {standing === "stopped" ? <p className="text-xs">{t("budgets.refuses")}</p> : null}
      {renews_at === null ? null : (
        <p className="text-xs text-muted-foreground">
          {t("budgets.renews")} <When date={renews_at} />
        </p>
      )}
      <ChangeBudget budget={budget} name={name} open={open === "change"} onOpenChange={close} />
      <DeleteBudget budget={budget} name={name} open={open === "delete"} onOpenChange={close} />
    </li>
  );
}

type SpentProps = {
  used: number;
  limit: number;
  standing: Budget["standing"];
  children: ReactNode;
};

/** A bar, and beside it the same in figures. */
function Spent({ used, limit, standing, children }: SpentProps) {
  const part = limit <= 0 ? 1 : Math.min(1, used / limit);
  return (
    <div className="flex items-center gap-2 text-xs tabular-nums">
      <span aria-hidden className="h-1.5 flex-1 overflow-hidden rounded-sm bg-muted">
        <span
          className={cn(
            "block h-full",
            standing === "ok" ? "bg-accent" : standing === "warning" ? "bg-waiting" : "bg-danger",
          )}
          style={{ width: `${part * 100}%` }}
        />
      </span>
      <span className="min-w-48 text-right">{children}</span>
    </div>
  );
}

type DeleteProps = { budget: Budget; name: string; open: boolean; onOpenChange: (open: boolean) => void };

function DeleteBudget({ budget, name, open, onOpenChange }: DeleteProps) {
  const { t } = useTranslation();
  const remove = useDeleteBudget(budget.id);
  return (
    <ConfirmAction
      open={open}
      onOpenChange={onOpenChange}
      heading={t("budgets.deleteHeading")}
      explanation={t("budgets.deleteExplanation", { name })}
      submit={t("budgets.deleteSubmit")}
      action={remove}
      onConfirm={() => remove.mutate(undefined, { onSuccess: () => onOpenChange(false) })}
    />
  );
}

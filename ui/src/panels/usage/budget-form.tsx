import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Field, Input } from "@/components/ui/field";
import { ChoiceField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import {
  type Budget,
  type BudgetChange,
  type NewBudget,
  PERIODS,
  type Period,
  useAddBudget,
  useChangeBudget,
  useOwnAgents,
} from "./queries";

/** What the server takes at most. */
const MOST_USD = 1_000_000;
const MOST_TOKENS = 1_000_000_000_000;
const WARN_PERCENT = 80;

type DialogProps = { open: boolean; onOpenChange: (open: boolean) => void };

export function AddBudget({ open, onOpenChange }: DialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("budgets.addHeading")} explanation={t("budgets.explanation")}>
        <AddForm onDone={() => onOpenChange(false)} />
      </DialogContent>
    </Dialog>
  );
}

function AddForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const agents = useOwnAgents();
  const add = useAddBudget();
  const [agentId, setAgentId] = useState("");
  const keep = (budget: BudgetChange) => {
    const whole: NewBudget = agentId === "" ? budget : { ...budget, agent_id: agentId };
    add.mutate(whole, { onSuccess: onDone });
  };
  return (
    <BudgetForm
      budget={null}
      error={add.error}
      busy={add.isPending}
      submit={t("budgets.addSubmit")}
      onSubmit={keep}
      onCancel={onDone}
    >
      <ChoiceField
        label={t("budgets.for")}
        value={agentId}
        options={[
          { value: "", text: t("budgets.everyone") },
          ...agents.map(({ id, name }) => ({ value: id, text: name })),
        ]}
        onChange={setAgentId}
      />
    </BudgetForm>
  );
}

type ChangeProps = DialogProps & { budget: Budget; name: string };

export function ChangeBudget({ budget, name, open, onOpenChange }: ChangeProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("budgets.changeHeading", { name })}>
        <ChangeForm budget={budget} onDone={() => onOpenChange(false)} />
      </DialogContent>
    </Dialog>
  );
}

function ChangeForm({ budget, onDone }: { budget: Budget; onDone: () => void }) {
  const { t } = useTranslation();
  const change = useChangeBudget(budget.id);
  return (
    <BudgetForm
      budget={budget}
      error={change.error}
      busy={change.isPending}
      submit={t("budgets.changeSubmit")}
      onSubmit={(wanted) => change.mutate(wanted, { onSuccess: onDone })}
      onCancel={onDone}
    />
  );
}

type FormProps = {
  /** What is changed; null for a new one. */
  budget: Budget | null;
  error: unknown;
  busy: boolean;
  submit: string;
  onSubmit: (budget: BudgetChange) => void;
  onCancel: () => void;
  children?: ReactNode;
};

function BudgetForm({ budget, error, busy, submit, onSubmit, onCancel, children }: FormProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const [period, setPeriod] = useState<Period>(budget?.period ?? "month");
  const [usd, setUsd] = useState(String(budget?.limit_usd ?? ""));
  const [tokens, setTokens] = useState(String(budget?.limit_tokens ?? ""));
  const [warn, setWarn] = useState(String(budget?.warn_percent ?? WARN_PERCENT));
  const keep = (event: FormEvent) => {
    event.preventDefault();
    onSubmit({
      period,
      warn_percent: Number(warn),
      limit_usd: usd === "" ? null : Number(usd),
      limit_tokens: tokens === "" ? null : Number(tokens),
    });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={keep}>
      {children}
      <ChoiceField
        label={t("budgets.period")}
        value={period}
        options={PERIODS.map((value) => ({ value, text: t(`budgets.periods.${value}`) }))}
        onChange={setPeriod}
      />
      <Field label={t("budgets.usd")} hint={t("budgets.usdHint")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={0}
            max={MOST_USD}
            step="any"
            value={usd}
            onChange={(event) => setUsd(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("budgets.tokens")} hint={t("budgets.tokensHint")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={0}
            max={MOST_TOKENS}
            step={1}
            value={tokens}
            onChange={(event) => setTokens(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("budgets.warn")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={1}
            max={100}
            step={1}
            required
            value={warn}
            onChange={(event) => setWarn(event.target.value)}
          />
        )}
      </Field>
      <p className="text-xs text-muted-foreground">{t("budgets.needed")}</p>
      {error ? <Problem {...failure.of(error)} /> : null}
      <footer className="flex justify-end gap-2">
        <Button onClick={onCancel}>{t("common.cancel")}</Button>
        <Button
          type="submit"
          variant="primary"
          disabled={busy || warn === "" || (usd === "" && tokens === "")}
        >
          {submit}
        </Button>
      </footer>
    </form>
  );
}

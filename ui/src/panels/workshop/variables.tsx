import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import type { Variable } from "./draft";

type VariablesProps = {
  variables: readonly Variable[];
  /** Names of the secrets that have a value already. */
  kept: ReadonlySet<string>;
  onChange: (variables: Variable[]) => void;
};

/** Environment variables. Secrets go to the keyring and are never shown again. */
export function Variables({ variables, kept, onChange }: VariablesProps) {
  const { t } = useTranslation();
  const change = (at: number, next: Partial<Variable>) =>
    onChange(variables.map((each, index) => (index === at ? valued({ ...each, ...next }) : each)));
  const isKept = ({ name, value, secret }: Variable) => secret && value === null && kept.has(name);
  return (
    <fieldset aria-label={t("workshop.variables")} className="flex flex-col gap-2">
      <p className="font-medium">{t("workshop.variables")}</p>
      <p className="text-xs text-muted-foreground">{t("workshop.variablesHint")}</p>
      {variables.map((variable, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a name being typed is no identity
        <div key={at} className="flex flex-col gap-1 rounded-md border bg-card p-2">
          <div className="flex gap-1.5">
            <Input
              aria-label={t("workshop.variableName")}
              placeholder={t("workshop.variableName")}
              spellCheck={false}
              className="font-mono text-xs"
              value={variable.name}
              onChange={(event) => change(at, { name: event.target.value })}
            />
            <Button
              size="icon"
              variant="quiet"
              className="size-8"
              aria-label={t("workshop.remove", { what: variable.name })}
              onClick={() => onChange(variables.filter((_, index) => index !== at))}
            >
              <X aria-hidden className="size-3.5" />
            </Button>
          </div>
          <Input
            aria-label={t("workshop.variableValue", { name: variable.name })}
            placeholder={
              variable.secret ? t(isKept(variable) ? "workshop.secretKept" : "workshop.secretUnset") : ""
            }
            type={variable.secret ? "password" : "text"}
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-xs"
            value={variable.value ?? ""}
            onChange={(event) => change(at, { value: event.target.value })}
          />
          <label className="flex items-center gap-1.5 text-xs">
            <input
              type="checkbox"
              className="accent-(--accent)"
              checked={variable.secret}
              // What was stored as a secret cannot become readable.
              disabled={isKept(variable)}
              onChange={(event) => change(at, { secret: event.target.checked })}
            />
            {t("workshop.secret")}
          </label>
        </div>
      ))}
      <Button
        size="sm"
        className="self-start"
        onClick={() => onChange([...variables, { name: "", value: "", secret: false }])}
      >
        <Plus aria-hidden className="size-3.5" />
        {t("workshop.addVariable")}
      </Button>
    </fieldset>
  );
}

/** Nothing typed is no value of a secret, and an empty one of any other variable. */
function valued(variable: Variable): Variable {
  return { ...variable, value: variable.secret ? variable.value || null : (variable.value ?? "") };
}

import { Plus, X } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Switch } from "@/components/ui/switch";
import { type Draft, type Grants, parseRequirement, type Requirement, type Variable } from "./draft";

type SettingsTabProps = { draft: Draft; onChange: (change: Partial<Draft>) => void };

/** Packages, variables, limits, and what the tool may do. */
export function SettingsTab({ draft, onChange }: SettingsTabProps) {
  const { t } = useTranslation();
  const python = draft.source_type === "python";
  return (
    <div className="flex flex-col gap-5">
      <Words
        label={t(python ? "workshop.pip" : "workshop.npm")}
        hint={t(python ? "workshop.pipHint" : "workshop.npmHint")}
        items={(python ? draft.pip : draft.npm).map((each) => wordsOf(each, python))}
        accepts={(text) => parseRequirement(text) !== null}
        onChange={(items) => {
          const read = items.map(parseRequirement).filter((each) => each !== null);
          onChange(python ? { pip: read } : { npm: read });
        }}
      />
      {draft.place === "machine" ? (
        <OnMachine draft={draft} onChange={onChange} />
      ) : (
        <InServer draft={draft} onChange={onChange} />
      )}
    </div>
  );
}

/** A tool of this machine always asks, unless a rule says otherwise: there is no default to set. */
function OnMachine({ draft, onChange }: SettingsTabProps) {
  const { t } = useTranslation();
  const grant = (change: Partial<Grants>) => onChange({ grants: { ...draft.grants, ...change } });
  return (
    <>
      <Toggle
        label={t("workshop.readOnly")}
        hint={t("workshop.readOnlyHint")}
        checked={draft.readOnly}
        onChange={(readOnly) => onChange({ readOnly })}
      />
      <Toggle
        label={t("workshop.network")}
        hint={t("workshop.networkHintMachine")}
        checked={draft.grants.network}
        onChange={(network) => grant({ network })}
      />
      <Amount
        label={t("workshop.timeout")}
        hint={t("workshop.timeoutHint")}
        value={draft.grants.timeout_seconds}
        min={1}
        max={600}
        onChange={(timeout_seconds) => grant({ timeout_seconds })}
      />
      <Variables variables={draft.grants.variables} onChange={(variables) => grant({ variables })} />
      <p className="text-xs text-muted-foreground">{t("workshop.machineHint")}</p>
    </>
  );
}

function InServer({ draft, onChange }: SettingsTabProps) {
  const { t } = useTranslation();
  const local = useIsLocal();
  const grant = (change: Partial<Grants>) => onChange({ grants: { ...draft.grants, ...change } });
  return (
    <>
      <Words
        label={t("workshop.tags")}
        hint={t("workshop.tagsHint")}
        items={draft.tags}
        accepts={(text) => text.trim() !== ""}
        onChange={(tags) => onChange({ tags })}
      />
      <Toggle
        label={t("workshop.askLabel")}
        hint={t("workshop.askHint")}
        checked={draft.ask}
        onChange={(ask) => onChange({ ask })}
      />
      <Toggle
        label={t("workshop.parallel")}
        hint={t("workshop.parallelHint")}
        checked={draft.parallel}
        onChange={(parallel) => onChange({ parallel })}
      />
      <Amount
        label={t("workshop.returnLimit")}
        hint={t("workshop.returnLimitHint")}
        value={draft.return_char_limit}
        min={1}
        max={1_000_000}
        onChange={(limit) => onChange({ return_char_limit: limit ?? 50_000 })}
      />
      {local ? (
        <>
          <Toggle
            label={t("workshop.network")}
            hint={t("workshop.networkHint")}
            checked={draft.grants.network}
            onChange={(network) => grant({ network })}
          />
          <Amount
            label={t("workshop.timeout")}
            hint={t("workshop.timeoutHint")}
            value={draft.grants.timeout_seconds}
            min={1}
            max={3600}
            onChange={(timeout_seconds) => grant({ timeout_seconds })}
          />
          <Amount
            label={t("workshop.memory")}
            hint={t("workshop.memoryHint")}
            value={draft.grants.memory_mb}
            min={64}
            max={65_536}
            onChange={(memory_mb) => grant({ memory_mb })}
          />
          <Variables variables={draft.grants.variables} onChange={(variables) => grant({ variables })} />
        </>
      ) : (
        <p className="text-muted-foreground">{t("workshop.grantsElsewhere")}</p>
      )}
    </>
  );
}

function wordsOf({ name, version }: Requirement, python: boolean): string {
  return version ? `${name}${python ? "==" : "@"}${version}` : name;
}

type ToggleProps = { label: string; hint: string; checked: boolean; onChange: (on: boolean) => void };

function Toggle({ label, hint, checked, onChange }: ToggleProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the switch is inside
    <label className="flex items-start gap-3">
      <Switch className="mt-0.5" checked={checked} aria-label={label} onCheckedChange={onChange} />
      <span>
        <span className="font-medium">{label}</span>
        <span className="block text-xs text-muted-foreground">{hint}</span>
      </span>
    </label>
  );
}

type AmountProps = {
  label: string;
  hint: string;
  value: number | null;
  min: number;
  max: number;
  onChange: (value: number | null) => void;
};

function Amount({ label, hint, value, min, max, onChange }: AmountProps) {
  return (
    <Field label={label} hint={hint}>
      {(control) => (
        <Input
          {...control}
          type="number"
          className="max-w-40"
          min={min}
          max={max}
          step={1}
          value={value ?? ""}
          onChange={(event) => {
            const given = event.target.valueAsNumber;
            onChange(Number.isNaN(given) ? null : given);
          }}
        />
      )}
    </Field>
  );
}

type WordsProps = {
  label: string;
  hint: string;
  items: readonly string[];
  accepts: (text: string) => boolean;
  onChange: (items: string[]) => void;
};

/** A list of words: each can be taken out, another added with Enter. */
function Words({ label, hint, items, accepts, onChange }: WordsProps) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const bad = text.trim() !== "" && !accepts(text);
  const add = () => {
    const word = text.trim();
    if (word === "" || bad) return;
    if (!items.includes(word)) onChange([...items, word]);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  };
  return (
    <div className="flex flex-col gap-1.5">
      <Field label={label} hint={hint} problem={bad ? t("workshop.badWord") : undefined}>
        {(control) => (
          <div className="flex gap-1.5">
            <Input
              {...control}
              spellCheck={false}
              className="font-mono text-xs"
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={onKeyDown}
            />
            <Button
              size="icon"
              className="size-8"
              aria-label={t("workshop.add", { what: label })}
              disabled={bad || text.trim() === ""}
              onClick={add}
            >
              <Plus aria-hidden className="size-4" />
            </Button>
          </div>
        )}
      </Field>
      <ul className="flex flex-wrap gap-1 empty:hidden">
        {items.map((item) => (
          <li
            key={item}
            className="flex items-center gap-1 rounded-sm border bg-card pl-1.5 font-mono text-xs"
          >
            {item}
            <button
              type="button"
              aria-label={t("workshop.remove", { what: item })}
              className="rounded-sm p-0.5 hover:bg-muted"
              onClick={() => onChange(items.filter((each) => each !== item))}
            >
              <X aria-hidden className="size-3" />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

type VariablesProps = { variables: readonly Variable[]; onChange: (variables: Variable[]) => void };

/** Environment variables. Secrets go to the keyring and are never shown again. */
function Variables({ variables, onChange }: VariablesProps) {
  const { t } = useTranslation();
  const change = (at: number, next: Partial<Variable>) =>
    onChange(variables.map((each, index) => (index === at ? { ...each, ...next } : each)));
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
            placeholder={variable.secret && variable.value === null ? t("workshop.secretKept") : ""}
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
              disabled={variable.secret && variable.value === null}
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

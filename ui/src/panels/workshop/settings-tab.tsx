import { Plus, X } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Switch } from "@/components/ui/switch";
import { type Draft, type Grants, parseRequirement, type Requirement } from "./draft";
import { Variables } from "./variables";

type SettingsTabProps = {
  draft: Draft;
  /** Names of the secrets that have a value already. */
  kept: ReadonlySet<string>;
  onChange: (change: Partial<Draft>) => void;
};

/** Packages, variables, limits, and what the tool may do. */
export function SettingsTab({ draft, kept, onChange }: SettingsTabProps) {
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
        <OnMachine draft={draft} kept={kept} onChange={onChange} />
      ) : (
        <InServer draft={draft} kept={kept} onChange={onChange} />
      )}
    </div>
  );
}

/** A tool of this machine always asks, unless a rule says otherwise: there is no default to set. */
function OnMachine({ draft, kept, onChange }: SettingsTabProps) {
  const { t } = useTranslation();
  return (
    <>
      <Toggle
        label={t("workshop.readOnly")}
        hint={t("workshop.readOnlyHint")}
        checked={draft.readOnly}
        onChange={(readOnly) => onChange({ readOnly })}
      />
      <Granted
        draft={draft}
        kept={kept}
        onChange={onChange}
        networkHint={t("workshop.networkHintMachine")}
        longest={600}
      />
      <p className="text-xs text-muted-foreground">{t("workshop.machineHint")}</p>
    </>
  );
}

function InServer({ draft, kept, onChange }: SettingsTabProps) {
  const { t } = useTranslation();
  const local = useIsLocal();
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
        <Granted
          draft={draft}
          kept={kept}
          onChange={onChange}
          networkHint={t("workshop.networkHint")}
          longest={3600}
        />
      ) : (
        <p className="text-muted-foreground">{t("workshop.grantsElsewhere")}</p>
      )}
    </>
  );
}

type GrantedProps = SettingsTabProps & {
  networkHint: string;
  /** Seconds. */
  longest: number;
};

/** What this person grants the tool on this machine. */
function Granted({ draft, kept, onChange, networkHint, longest }: GrantedProps) {
  const { t } = useTranslation();
  const { network, timeout_seconds, memory_mb, variables } = draft.grants;
  const grant = (change: Partial<Grants>) => onChange({ grants: { ...draft.grants, ...change } });
  return (
    <>
      <Toggle
        label={t("workshop.network")}
        hint={networkHint}
        checked={network}
        onChange={(on) => grant({ network: on })}
      />
      <Amount
        label={t("workshop.timeout")}
        hint={t("workshop.timeoutHint")}
        value={timeout_seconds}
        min={1}
        max={longest}
        onChange={(seconds) => grant({ timeout_seconds: seconds })}
      />
      <Amount
        label={t("workshop.memory")}
        hint={t("workshop.memoryHint")}
        value={memory_mb}
        min={64}
        max={65_536}
        onChange={(megabytes) => grant({ memory_mb: megabytes })}
      />
      <Variables variables={variables} kept={kept} onChange={(all) => grant({ variables: all })} />
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

import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Language, Settings, Theme } from "@/api/workbench";
import { Field, Input, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Switch } from "@/components/ui/switch";
import { useFailure } from "@/lib/use-failure";
import { DataSection } from "./data-section";
import { DeletedAgents } from "./deleted-agents";
import { LocalServer } from "./local-server";
import { useChangeSettings, useSettings, useStatus } from "./queries";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const LANGUAGES: readonly Language[] = ["system", "en", "de"];

export function SettingsPage() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data: settings, error } = useSettings();
  const { data: status } = useStatus();
  const change = useChangeSettings();
  const problem = error ?? change.error;
  return (
    <section
      aria-labelledby="settings-heading"
      className="mx-auto flex w-full max-w-[760px] flex-col gap-8 p-6"
    >
      <h1 id="settings-heading" className="text-lg font-semibold">
        {t("settings.heading")}
      </h1>
      {problem ? <Problem {...failure.of(problem)} /> : null}
      <div className="flex max-w-80 flex-col gap-4">
        <Field label={t("settings.theme")}>
          {(control) => (
            <Select
              {...control}
              disabled={!settings}
              value={settings?.theme ?? "system"}
              onChange={(event) => change.mutate({ theme: event.target.value as Theme })}
            >
              {THEMES.map((theme) => (
                <option key={theme} value={theme}>
                  {t(`settings.themes.${theme}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("settings.language")}>
          {(control) => (
            <Select
              {...control}
              disabled={!settings}
              value={settings?.language ?? "system"}
              onChange={(event) => change.mutate({ language: event.target.value as Language })}
            >
              {LANGUAGES.map((language) => (
                <option key={language} value={language}>
                  {t(`settings.languages.${language}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {settings ? (
        <Behaviour
          settings={settings}
          window={status?.transport === "window"}
          onChange={(wish) => change.mutate(wish)}
        />
      ) : null}
      <DataSection />
      <DeletedAgents />
      <LocalServer />
    </section>
  );
}

type BehaviourProps = {
  settings: Settings;
  /** Tray and notifications are the desktop window's. */
  window: boolean;
  onChange: (wish: Partial<Settings>) => void;
};

/** How Loci behaves when nobody looks. */
function Behaviour({ settings, window, onChange }: BehaviourProps) {
  const { t } = useTranslation();
  const toggles = [
    ...(window ? (["notify_approvals", "notify_finished", "close_to_tray"] as const) : []),
    "confine_commands" as const,
  ];
  return (
    <section aria-labelledby="behaviour-heading" className="flex flex-col gap-3">
      <h2 id="behaviour-heading" className="font-semibold">
        {t("settings.behaviour")}
      </h2>
      {toggles.map((name) =>
        settings[name] === undefined ? null : (
          // biome-ignore lint/a11y/noLabelWithoutControl: the switch is inside
          <label key={name} className="flex items-center gap-3">
            <Switch
              checked={settings[name]}
              aria-label={t(`settings.toggles.${name}`)}
              onCheckedChange={(on) => onChange({ [name]: on })}
            />
            {t(`settings.toggles.${name}`)}
          </label>
        ),
      )}
      {settings.expire_unattended_hours === undefined ? null : (
        <Expiry hours={settings.expire_unattended_hours} onChange={onChange} />
      )}
    </section>
  );
}

type ExpiryProps = { hours: number | null; onChange: (wish: Partial<Settings>) => void };

/** Stored when one leaves the field: a number half written means something else. */
function Expiry({ hours, onChange }: ExpiryProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(hours === null ? "" : String(hours));
  const store = () => {
    const given = text.trim() === "" ? null : Number(text);
    if (given === hours) return;
    if (given === null || given > 0) onChange({ expire_unattended_hours: given });
    else setText(hours === null ? "" : String(hours));
  };
  return (
    <Field label={t("settings.expire")} hint={t("settings.expireHint")} className="max-w-80">
      {(control) => (
        <Input
          {...control}
          type="number"
          min={1}
          className="max-w-32"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={store}
        />
      )}
    </Field>
  );
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { settingsQuery, statusQuery } from "@/api/queries";
import type { Language, Settings, Theme } from "@/api/workbench";
import { Field, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const LANGUAGES: readonly Language[] = ["system", "en", "de"];

export function SettingsPage() {
  const { t } = useTranslation();
  const failure = useFailure();
  const api = useApi();
  const queries = useQueryClient();
  const { data: settings, error } = useQuery(settingsQuery(api));
  const { data: status } = useQuery(statusQuery(api));
  const change = useMutation({
    mutationFn: (wish: Partial<Settings>) => api.json<Settings>("PATCH", "/workbench/settings", wish),
    onSuccess: (stored) => queries.setQueryData(settingsQuery(api).queryKey, stored),
  });
  const problem = error ?? change.error;
  return (
    <section
      aria-labelledby="settings-heading"
      className="mx-auto flex w-full max-w-[760px] flex-col gap-6 p-6"
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
      {status ? (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-muted-foreground">
          <dt>{t("settings.version")}</dt>
          <dd className="font-mono">{status.version}</dd>
          {status.data_dir ? (
            <>
              <dt>{t("settings.data")}</dt>
              <dd className="font-mono break-all">{status.data_dir}</dd>
            </>
          ) : null}
          <dt>{t("settings.secrets")}</dt>
          <dd>{t(`settings.stores.${status.secrets.store}`, { defaultValue: status.secrets.store })}</dd>
        </dl>
      ) : null}
    </section>
  );
}

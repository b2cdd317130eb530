import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NewProvider, ProviderKind } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { TestResult } from "./provider-card";
import { useAddProvider, useProviderKinds, useTryProvider } from "./queries";

const kind = (provider_type: string, display_name: string, base_url: string): ProviderKind => ({
  provider_type,
  display_name,
  base_url,
  base_url_example: null,
  key_required: false,
  keys_page: null,
  is_local: false,
});

/** The protocols nearly every server speaks: what there is until the catalogue has come. */
const PROTOCOLS = [
  kind("openai", "OpenAI", "https://api.openai.com/v1"),
  kind("anthropic", "Anthropic", "https://api.anthropic.com"),
];

const START = {
  name: "",
  provider_type: "openai",
  base_url: "",
  api_key: "",
  region: "",
  api_version: "",
  headers: "",
};
type Form = typeof START;

/** What is left empty is left out: the server knows the address of a kind that has one. */
function given(form: Form): NewProvider {
  const { provider_type, headers, ...rest } = form;
  const others = Object.entries(rest)
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== "");
  const more = headersIn(headers) ?? [];
  return {
    provider_type,
    ...Object.fromEntries(others),
    ...(more.length > 0 ? { headers: Object.fromEntries(more) } : {}),
  };
}

/** `Name: value` on each line; null if a line is none. */
export function headersIn(text: string): Array<[name: string, value: string]> | null {
  const found: Array<[string, string]> = [];
  for (const line of text.split("\n").map((line) => line.trim())) {
    if (line === "") continue;
    const at = line.indexOf(":");
    const [name, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || value === "" || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return null;
    found.push([name, value]);
  }
  return found;
}

/** Kinds whose address alone does not say everything. */
const MORE: Partial<Record<string, "region" | "api_version">> = {
  bedrock: "region",
  azure: "api_version",
};

export function AddProvider() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data } = useProviderKinds();
  const kinds = data && data.length > 0 ? data : PROTOCOLS;
  const add = useAddProvider();
  const test = useTryProvider();
  const [form, setForm] = useState(START);
  const set = (change: Partial<Form>) => {
    test.reset();
    setForm((before) => ({ ...before, ...change }));
  };
  const chosen = kinds.find((each) => each.provider_type === form.provider_type) ?? kinds[0];
  const more = MORE[form.provider_type];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(given(form), {
      onSuccess: () => {
        test.reset();
        setForm({ ...START, provider_type: form.provider_type });
      },
    });
  };
  const wrongHeaders = headersIn(form.headers) === null;
  const incomplete =
    wrongHeaders ||
    (!chosen?.base_url && !form.base_url.trim()) ||
    (chosen?.key_required && !form.api_key.trim());
  return (
    <form
      aria-labelledby="add-provider-heading"
      className="flex flex-col gap-3 rounded-md border p-4"
      onSubmit={submit}
    >
      <h2 id="add-provider-heading" className="font-semibold">
        {t("models.add")}
      </h2>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t("models.kind")}>
          {(control) => (
            <Select
              {...control}
              value={form.provider_type}
              onChange={(event) => set({ provider_type: event.target.value, base_url: "" })}
            >
              {kinds.map(({ provider_type, display_name }) => (
                <option key={provider_type} value={provider_type}>
                  {display_name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("models.name")} hint={t("models.nameHint")}>
          {(control) => (
            <Input
              {...control}
              maxLength={64}
              value={form.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Field label={t("models.baseUrl")} hint={t("models.baseUrlHint")}>
        {(control) => (
          <Input
            {...control}
            required={!chosen?.base_url}
            type="url"
            className="font-mono"
            placeholder={chosen?.base_url ?? chosen?.base_url_example ?? ""}
            value={form.base_url}
            onChange={(event) => set({ base_url: event.target.value })}
          />
        )}
      </Field>
      {more ? (
        <Field label={t(`models.${more}`)}>
          {(control) => (
            <Input
              {...control}
              value={form[more]}
              onChange={(event) => set({ [more]: event.target.value })}
            />
          )}
        </Field>
      ) : null}
      <Field
        label={t("models.key")}
        hint={
          <>
            {t("models.keyHint")}{" "}
            {chosen?.keys_page ? (
              <a href={chosen.keys_page} target="_blank" rel="noreferrer" className="text-accent underline">
                {t("models.getKey", { name: chosen.display_name })}
              </a>
            ) : null}
          </>
        }
      >
        {(control) => (
          <Input
            {...control}
            type="password"
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
            value={form.api_key}
            onChange={(event) => set({ api_key: event.target.value })}
          />
        )}
      </Field>
      <details>
        <summary className="text-muted-foreground">{t("models.moreSettings")}</summary>
        <Field
          className="pt-2"
          label={t("models.headers")}
          hint={t("models.headersHint")}
          problem={wrongHeaders ? t("models.headersWrong") : undefined}
        >
          {(control) => (
            <Textarea
              {...control}
              rows={2}
              spellCheck={false}
              autoComplete="off"
              className="font-mono text-xs"
              placeholder="X-Team: birds"
              value={form.headers}
              onChange={(event) => set({ headers: event.target.value })}
            />
          )}
        </Field>
      </details>
      {test.data ? <TestResult result={test.data} /> : null}
      {test.error ? <Problem {...failure.of(test.error)} /> : null}
      {add.error ? <Problem {...failure.of(add.error)} /> : null}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" disabled={add.isPending || incomplete}>
          {t("models.addSubmit")}
        </Button>
        <Button disabled={test.isPending || incomplete} onClick={() => test.mutate(given(form))}>
          {test.isPending ? <Spinner /> : null}
          {t("models.tryEndpoint")}
        </Button>
      </div>
    </form>
  );
}

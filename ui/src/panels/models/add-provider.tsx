import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NewProvider, ProviderKind } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Field, Textarea } from "@/components/ui/field";
import { ChoiceField, TextField } from "@/components/ui/labelled";
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
        <ChoiceField
          label={t("models.kind")}
          value={form.provider_type}
          options={kinds.map(({ provider_type, display_name }) => ({
            value: provider_type,
            text: display_name,
          }))}
          onChange={(provider_type) => set({ provider_type, base_url: "" })}
        />
        <TextField
          label={t("models.name")}
          hint={t("models.nameHint")}
          maxLength={64}
          value={form.name}
          onChange={(name) => set({ name })}
        />
      </div>
      <TextField
        label={t("models.baseUrl")}
        hint={t("models.baseUrlHint")}
        code
        type="url"
        required={!chosen?.base_url}
        placeholder={chosen?.base_url ?? chosen?.base_url_example ?? ""}
        value={form.base_url}
        onChange={(base_url) => set({ base_url })}
      />
      {more ? (
        <TextField
          label={t(`models.${more}`)}
          value={form[more]}
          onChange={(value) => set({ [more]: value })}
        />
      ) : null}
      <TextField
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
        secret
        value={form.api_key}
        onChange={(api_key) => set({ api_key })}
      />
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

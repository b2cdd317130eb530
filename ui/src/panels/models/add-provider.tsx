import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ProviderType } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useAddProvider } from "./queries";

/** The protocols one can choose, each with the address most people mean. */
const PROTOCOLS: Record<ProviderType, string> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
};

type Form = { name: string; provider_type: ProviderType; base_url: string; api_key: string };

const START: Form = { name: "", provider_type: "openai", base_url: PROTOCOLS.openai, api_key: "" };

export function AddProvider() {
  const { t } = useTranslation();
  const failure = useFailure();
  const add = useAddProvider();
  const [form, setForm] = useState(START);
  const set = (change: Partial<Form>) => setForm((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { name, api_key, ...rest } = form;
    add.mutate(
      {
        ...rest,
        base_url: rest.base_url.trim(),
        ...(name.trim() ? { name: name.trim() } : {}),
        ...(api_key ? { api_key } : {}),
      },
      { onSuccess: () => setForm(START) },
    );
  };
  const chooseProtocol = (provider_type: ProviderType) =>
    // An address the person wrote stays; the suggestion of the other protocol does not.
    set({
      provider_type,
      base_url: Object.values(PROTOCOLS).includes(form.base_url) ? PROTOCOLS[provider_type] : form.base_url,
    });
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
        <Field label={t("models.protocol")}>
          {(control) => (
            <Select
              {...control}
              value={form.provider_type}
              onChange={(event) => chooseProtocol(event.target.value as ProviderType)}
            >
              {(Object.keys(PROTOCOLS) as ProviderType[]).map((protocol) => (
                <option key={protocol} value={protocol}>
                  {t(`models.protocols.${protocol}`)}
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
            required
            type="url"
            className="font-mono"
            value={form.base_url}
            onChange={(event) => set({ base_url: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("models.key")} hint={t("models.keyHint")}>
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
      {add.error ? <Problem {...failure.of(add.error)} /> : null}
      <Button
        type="submit"
        variant="primary"
        className="self-start"
        disabled={add.isPending || !form.base_url.trim()}
      >
        {t("models.addSubmit")}
      </Button>
    </form>
  );
}

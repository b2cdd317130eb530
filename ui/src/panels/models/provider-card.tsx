import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Provider, ProviderTest } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { TextField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { useChangeProvider, useDeleteProvider, useTestProvider } from "./queries";

export function ProviderCard({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const test = useTestProvider();
  const remove = useDeleteProvider();
  const [asking, setAsking] = useState(false);
  const [changing, setChanging] = useState(false);
  /** What the environment or the program brings cannot be changed here. */
  const fixed = provider.editable === false || provider.category === "base";
  return (
    <li aria-label={provider.name} className="flex flex-col gap-2 rounded-md border bg-card p-3">
      <div className="flex flex-wrap items-center gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="font-semibold">{provider.name}</h3>
          <p className="truncate text-xs text-muted-foreground">
            <span>{provider.provider_type}</span>
            {provider.base_url ? <span className="font-mono"> · {provider.base_url}</span> : null}
            {" · "}
            {t(provider.has_key ? "models.hasKey" : "models.hasNoKey")}
            {fixed ? ` · ${t(provider.source === "found" ? "models.found" : "models.fixed")}` : ""}
            {typeof provider.models === "number"
              ? ` · ${t("models.runtimeModels", { count: provider.models })}`
              : ""}
          </p>
        </div>
        <Button size="sm" disabled={test.isPending} onClick={() => test.mutate(provider.id)}>
          {test.isPending ? <Spinner /> : null}
          {t("models.test")}
        </Button>
        {fixed ? null : (
          <Button size="sm" aria-expanded={changing} onClick={() => setChanging(!changing)}>
            {t(provider.has_key ? "models.replaceKey" : "models.setKey")}
          </Button>
        )}
        {fixed ? null : (
          <Button
            size="sm"
            aria-label={t("models.deleteNamed", { name: provider.name })}
            onClick={() => setAsking(true)}
          >
            {t("models.delete")}
          </Button>
        )}
      </div>
      {provider.problem ? <p className="text-danger">{say(provider.problem)}</p> : null}
      {changing ? <ChangeKey provider={provider} onDone={() => setChanging(false)} /> : null}
      {test.error ? <Problem {...failure.of(test.error)} /> : null}
      {test.data ? <TestResult result={test.data} /> : null}
      <ConfirmAction
        open={asking}
        onOpenChange={setAsking}
        heading={t("models.deleteHeading", { name: provider.name })}
        explanation={t("models.deleteExplanation")}
        submit={t("models.deleteSubmit")}
        action={remove}
        onConfirm={() => remove.mutate(provider.id, { onSuccess: () => setAsking(false) })}
      />
    </li>
  );
}

/** Keys go in and never come out: the field starts empty whatever is stored. */
function ChangeKey({ provider, onDone }: { provider: Provider; onDone: () => void }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const change = useChangeProvider(provider.id);
  const [key, setKey] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ api_key: key }, { onSuccess: onDone });
  };
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <TextField
        label={t("models.newKey", { name: provider.name })}
        secret
        autoFocus
        value={key}
        onChange={setKey}
      />
      {change.error ? <Problem {...failure.of(change.error)} /> : null}
      <div className="flex gap-2">
        <Button type="submit" size="sm" variant="primary" disabled={change.isPending || !key.trim()}>
          {t("models.saveKey")}
        </Button>
        {provider.has_key ? (
          <Button
            size="sm"
            disabled={change.isPending}
            onClick={() => change.mutate({ api_key: "" }, { onSuccess: onDone })}
          >
            {t("models.removeKey")}
          </Button>
        ) : null}
        <Button size="sm" variant="quiet" disabled={change.isPending} onClick={onDone}>
          {t("common.cancel")}
        </Button>
      </div>
    </form>
  );
}

export function TestResult({ result }: { result: ProviderTest }) {
  const { t } = useTranslation();
  const say = useSay();
  return (
    <p role="status" className={result.ok ? "text-success" : "text-danger"}>
      {result.ok
        ? t("models.testOk", { count: result.models.length })
        : `${t("models.testFailed")} ${say(result.said)}`}
    </p>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Provider, ProviderTest } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Confirm, ConfirmCancel, ConfirmContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { useDeleteProvider, useTestProvider } from "./queries";

export function ProviderCard({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const test = useTestProvider();
  const remove = useDeleteProvider();
  const [asking, setAsking] = useState(false);
  /** What the environment or the program brings cannot be deleted here. */
  const fixed = provider.category === "base";
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
            {fixed ? ` · ${t("models.fixed")}` : ""}
          </p>
        </div>
        <Button size="sm" disabled={test.isPending} onClick={() => test.mutate(provider.id)}>
          {test.isPending ? <Spinner /> : null}
          {t("models.test")}
        </Button>
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
      {test.error ? <Problem {...failure.of(test.error)} /> : null}
      {test.data ? <TestResult result={test.data} /> : null}
      <Confirm open={asking} onOpenChange={setAsking}>
        <ConfirmContent
          heading={t("models.deleteHeading", { name: provider.name })}
          explanation={t("models.deleteExplanation")}
        >
          {remove.error ? <Problem {...failure.of(remove.error)} /> : null}
          <footer className="flex justify-end gap-2">
            <ConfirmCancel asChild>
              <Button>{t("common.cancel")}</Button>
            </ConfirmCancel>
            <Button
              variant="danger"
              disabled={remove.isPending}
              onClick={() => remove.mutate(provider.id, { onSuccess: () => setAsking(false) })}
            >
              {t("models.deleteSubmit")}
            </Button>
          </footer>
        </ConfirmContent>
      </Confirm>
    </li>
  );
}

function TestResult({ result }: { result: ProviderTest }) {
  const { t } = useTranslation();
  const count = typeof result.models === "number" ? result.models : result.models.length;
  return (
    <p role="status" className={result.ok ? "text-success" : "text-danger"}>
      {result.ok ? t("models.testOk", { count }) : t("models.testFailed")} {result.message}
    </p>
  );
}

import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { handleOf, isRehearsal } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";
import { AddProvider } from "./add-provider";
import { ProviderCard } from "./provider-card";
import { useModels, useProviders, useStatus } from "./queries";

export function ModelsPage() {
  const { t } = useTranslation();
  const failure = useFailure();
  const providers = useProviders();
  return (
    <section
      aria-labelledby="models-heading"
      className="mx-auto flex w-full max-w-[760px] flex-col gap-6 p-6"
    >
      <header className="flex flex-col gap-1">
        <h1 id="models-heading" className="text-lg font-semibold">
          {t("models.heading")}
        </h1>
        <p className="text-muted-foreground">{t("models.explanation")}</p>
      </header>
      <SecretsNotice />
      <section aria-labelledby="providers-heading" className="flex flex-col gap-2">
        <h2 id="providers-heading" className="font-semibold">
          {t("models.endpoints")}
        </h2>
        {providers.isPending ? <Spinner aria-label={t("common.loading")} /> : null}
        {providers.error ? (
          <Problem {...failure.of(providers.error)}>
            <Button size="sm" onClick={() => providers.refetch()}>
              {t("common.tryAgain")}
            </Button>
          </Problem>
        ) : null}
        {providers.data?.length === 0 ? (
          <Empty className="rounded-md border border-dashed" heading={t("models.noEndpoints")} />
        ) : null}
        <ul className="flex flex-col gap-2">
          {providers.data?.map((provider) => (
            <ProviderCard key={provider.id} provider={provider} />
          ))}
        </ul>
      </section>
      <AddProvider />
      <Reachable />
    </section>
  );
}

/** Where keys are kept, said aloud when that is only this session. */
function SecretsNotice() {
  const { t } = useTranslation();
  const { data } = useStatus();
  if (!data || data.secrets.available) return null;
  return (
    <p role="status" className="rounded-md border border-waiting bg-waiting-soft p-3">
      {t("models.keysNotKept")} {data.secrets.reason}
    </p>
  );
}

function Reachable() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending, isFetching, refetch } = useModels();
  return (
    <section aria-labelledby="reachable-heading" className="flex flex-col gap-2">
      <header className="flex items-center justify-between">
        <h2 id="reachable-heading" className="font-semibold">
          {t("models.reachable")}
        </h2>
        <Button size="sm" disabled={isFetching} onClick={() => refetch()}>
          {isFetching ? <Spinner /> : null}
          {t("models.lookAgain")}
        </Button>
      </header>
      {error ? <Problem {...failure.of(error)} /> : null}
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {data?.length === 0 ? <p className="text-muted-foreground">{t("models.noneReachable")}</p> : null}
      {data && data.length > 0 ? (
        // A catalogue of several hundred names scrolls in its own box; each row is one line of text.
        <ul
          className="flex max-h-80 flex-col overflow-y-auto rounded-md border bg-card"
          aria-label={t("models.reachable")}
        >
          {data.map((model) => (
            <li
              key={handleOf(model)}
              className="flex gap-2 border-b px-3 py-1.5 font-mono text-xs last:border-b-0 [content-visibility:auto]"
            >
              <span className="min-w-0 flex-1 truncate">{handleOf(model)}</span>
              {isRehearsal(handleOf(model)) ? (
                <span className="text-muted-foreground">{t("models.noAi")}</span>
              ) : null}
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

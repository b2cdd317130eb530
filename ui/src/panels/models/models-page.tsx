import { Tabs } from "radix-ui";
import { type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { QueryState } from "@/components/agent/query-state";
import { Empty } from "@/components/ui/empty";
import { Spinner } from "@/components/ui/spinner";
import { AddProvider } from "./add-provider";
import { Catalogue } from "./catalogue";
import { Embedders } from "./embedders";
import { LlamaServer } from "./llama-server";
import { ProviderCard } from "./provider-card";
import { useProviders } from "./queries";
import { RuntimesSection } from "./runtimes";
import { SecretsNotice } from "./secrets-notice";

type ModelsPageProps = {
  /** More tabs of the same page, each with its own content. */
  more?: readonly { name: string; label: string; content: ReactNode }[];
};

export function ModelsPage({ more = [] }: ModelsPageProps) {
  const { t } = useTranslation();
  const tabs = [{ name: "models", label: t("models.tab"), content: <Models /> }, ...more];
  return (
    <section
      aria-labelledby="models-heading"
      className="mx-auto flex w-full max-w-[760px] flex-col gap-4 p-6"
    >
      <header className="flex flex-col gap-1">
        <h1 id="models-heading" className="text-lg font-semibold">
          {t("models.heading")}
        </h1>
        <p className="text-muted-foreground">{t("models.explanation")}</p>
      </header>
      <Tabs.Root defaultValue="models" className="flex flex-col gap-5">
        <Tabs.List aria-label={t("models.heading")} className="flex gap-1 border-b">
          {tabs.map(({ name, label }) => (
            <Tabs.Trigger
              key={name}
              value={name}
              className="-mb-px border-b-2 border-transparent px-2.5 py-2 font-medium text-muted-foreground hover:text-foreground data-[state=active]:border-accent data-[state=active]:text-foreground"
            >
              {label}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {tabs.map(({ name, content }) => (
          <Tabs.Content key={name} value={name}>
            {/* What is fetched for one tab must not take the page away: the focus would go with it. */}
            <Suspense fallback={<Spinner aria-label={t("common.loading")} />}>{content}</Suspense>
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </section>
  );
}

function Models() {
  const { t } = useTranslation();
  const providers = useProviders();
  return (
    <div className="flex flex-col gap-6">
      <SecretsNotice />
      <RuntimesSection />
      <LlamaServer />
      <section aria-labelledby="providers-heading" className="flex flex-col gap-2">
        <h2 id="providers-heading" className="font-semibold">
          {t("models.endpoints")}
        </h2>
        <QueryState {...providers} />
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
      <Catalogue />
      <Embedders />
    </div>
  );
}

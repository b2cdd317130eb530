import { Cpu, KeyRound, Theater } from "lucide-react";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import { ChoiceField, TextField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { useFirstAgent, useKey, useReadyModels } from "./queries";
import { begin, SERVICES } from "./services";

type FirstRunProps = {
  onCreated: (agentId: string) => void;
  onOpenModels: () => void;
};

/** The first minute: a model, then an agent, then a reply. Nothing is contacted before it is asked for. */
export function FirstRunPage({ onCreated, onOpenModels }: FirstRunProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const models = useReadyModels();
  const create = useFirstAgent();
  const start = (model: string) =>
    create
      .mutateAsync({ name: t("firstRun.name"), persona: t("templates.persona.companion"), model })
      // This page is gone by then: the first agent takes its place.
      .then(({ id }) => onCreated(id))
      .catch(() => {});
  return (
    <section
      aria-labelledby="first-run-heading"
      className="mx-auto flex w-full max-w-[620px] flex-col gap-4 px-6 py-10"
    >
      <header className="flex flex-col gap-1.5 pb-2">
        <h1 id="first-run-heading" className="text-2xl font-semibold tracking-tight">
          {t("firstRun.heading")}
        </h1>
        <p className="text-base text-muted-foreground">{t("firstRun.explanation")}</p>
      </header>
      {create.error ? <Problem {...failure.of(create.error)} /> : null}
      <Way icon={Cpu} heading={t("firstRun.found")}>
        <Ready models={models} busy={create.isPending} onStart={start} />
      </Way>
      <Way icon={KeyRound} heading={t("firstRun.key")}>
        <WithKey busy={create.isPending} onStart={start} />
        <p className="text-xs text-muted-foreground">
          {t("firstRun.others")}{" "}
          <button type="button" className="text-accent underline underline-offset-2" onClick={onOpenModels}>
            {t("firstRun.openModels")}
          </button>
        </p>
      </Way>
      <Way icon={Theater} heading={t("firstRun.rehearsal")} mark={t("models.noAi")}>
        <div className="flex items-center justify-between gap-4">
          <p className="text-muted-foreground">{t("firstRun.rehearsalExplanation")}</p>
          <Button
            disabled={create.isPending || !models.rehearsal}
            onClick={() => models.rehearsal && start(models.rehearsal)}
          >
            {t("firstRun.rehearse")}
          </Button>
        </div>
      </Way>
    </section>
  );
}

type WayProps = { icon: typeof Cpu; heading: string; mark?: string; children: ReactNode };

function Way({ icon: Icon, heading, mark, children }: WayProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex flex-col gap-3 rounded-md border bg-card p-4">
      <header className="flex items-center gap-2.5">
        <Icon aria-hidden className="size-4 text-muted-foreground" />
        <h2 id={id} className="font-semibold">
          {heading}
        </h2>
        {mark ? (
          <span className="rounded-full border border-waiting px-2 text-xs leading-5 text-waiting-foreground">
            {mark}
          </span>
        ) : null}
      </header>
      {children}
    </section>
  );
}

type ReadyProps = {
  models: ReturnType<typeof useReadyModels>;
  busy: boolean;
  onStart: (model: string) => unknown;
};

function Ready({ models, busy, onStart }: ReadyProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const [chosen, setChosen] = useState<string | null>(null);
  const { handles, local } = models;
  if (models.error) {
    return (
      <Problem {...failure.of(models.error)}>
        <Button size="sm" onClick={() => models.refetch()}>
          {t("common.tryAgain")}
        </Button>
      </Problem>
    );
  }
  if (models.isPending) {
    return (
      <p role="status" className="flex items-center gap-2 text-muted-foreground">
        <Spinner />
        {t("firstRun.looking")}
      </p>
    );
  }
  if (handles.length === 0) return <p className="text-muted-foreground">{t("firstRun.noneFound")}</p>;
  const here = handles.filter((handle) => local.has(handle.split("/")[0] ?? ""));
  const model = chosen && handles.includes(chosen) ? chosen : begin(here.length > 0 ? here : handles);
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onStart(model);
      }}
    >
      <Field
        className="min-w-0 flex-1"
        label={t("agents.model")}
        hint={t(local.has(model.split("/")[0] ?? "") ? "firstRun.local" : "firstRun.remote")}
      >
        {(control) => (
          <Select {...control} value={model} onChange={(event) => setChosen(event.target.value)}>
            {[...here, ...handles.filter((handle) => !here.includes(handle))].map((handle) => (
              <option key={handle} value={handle}>
                {handle}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Button type="submit" variant="primary" className="mb-5" disabled={busy}>
        {busy ? <Spinner className="text-current" /> : null}
        {t("firstRun.start")}
      </Button>
    </form>
  );
}

function WithKey({ busy, onStart }: { busy: boolean; onStart: (model: string) => unknown }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const keep = useKey();
  const [name, setName] = useState(SERVICES[0].name);
  const [key, setKey] = useState("");
  const service = SERVICES.find((one) => one.name === name) ?? SERVICES[0];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keep.mutate(
      { service, key: key.trim() },
      {
        onSuccess: (models) => {
          setKey("");
          const model = begin(models);
          if (model) onStart(model);
        },
      },
    );
  };
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <div className="flex items-end gap-2 max-[640px]:flex-col max-[640px]:items-stretch">
        <ChoiceField
          className="w-40"
          label={t("firstRun.service")}
          value={name}
          options={SERVICES.map((one) => ({ value: one.name, text: one.label }))}
          onChange={setName}
        />
        <TextField className="min-w-0 flex-1" label={t("models.key")} secret value={key} onChange={setKey} />
        <Button type="submit" disabled={!key.trim() || keep.isPending || busy}>
          {keep.isPending ? <Spinner className="text-current" /> : null}
          {t("firstRun.useKey")}
        </Button>
      </div>
      {keep.error ? <Problem {...failure.of(keep.error)} /> : null}
    </form>
  );
}

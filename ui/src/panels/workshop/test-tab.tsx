import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type Ref, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { useIsLocal } from "@/api/use-local";
import { VisibleText } from "@/components/agent/visible-text";
import { Button } from "@/components/ui/button";
import { ChoiceField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { type FormValue, missingIn, SchemaForm } from "@/components/ui/schema-form";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { duration, size } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";
import type { Draft, StoredTool } from "./draft";
import { type DerivedSchema, useInterpreters, useTestRuns } from "./queries";
import { type Confinement, type Trial, useTrial } from "./use-trial";

type TestTabProps = {
  tool: StoredTool | null;
  draft: Draft;
  schema: DerivedSchema | null;
  formRef: Ref<HTMLFormElement>;
};

/** Runs what is written now with arguments of one's own, confined as it will be for an agent. */
export function TestTab({ tool, draft, schema, formRef }: TestTabProps) {
  const { t } = useTranslation();
  const local = useIsLocal();
  const { trial, run, stop } = useTrial(tool);
  const [args, setArgs] = useState<FormValue>({});
  const [valid, setValid] = useState(true);
  const { data: agents } = useQuery(agentsQuery(useApi()));
  const [agentId, setAgentId] = useState("");
  if (!local && draft.place === "server")
    return <p className="text-muted-foreground">{t("workshop.testElsewhere")}</p>;
  const parameters = schema?.parameters ?? {};
  const missing = missingIn(parameters, args);
  // A function that is given the agent cannot do without one.
  if (draft.place === "server" && !agentId && /\bagent_state\b/.test(draft.source_code)) {
    missing.push(t("workshop.anAgent"));
  }
  const ready = !trial.running && schema !== null && valid && missing.length === 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    const known = Object.entries(args).filter(([name]) => name in (parameters.properties ?? {}));
    const given = Object.fromEntries(known);
    void run(draft, schema.name, draft.place === "server" && agentId ? agentId : null, given);
  };
  return (
    <div className="flex flex-col gap-4">
      <Missing draft={draft} />
      <form
        ref={formRef}
        aria-label={t("workshop.arguments")}
        className="flex flex-col gap-3"
        onSubmit={submit}
      >
        <SchemaForm
          schema={parameters}
          value={args}
          onChange={(next, ok) => {
            setArgs(next);
            setValid(ok);
          }}
        />
        {draft.place === "server" && agents && agents.length > 0 ? (
          <ChoiceField
            label={t("workshop.forAgent")}
            hint={t("workshop.forAgentHint")}
            value={agentId}
            options={[
              { value: "", text: t("workshop.noOne") },
              ...agents.map(({ id, name }) => ({ value: id, text: name })),
            ]}
            onChange={setAgentId}
          />
        ) : null}
        <div className="flex items-center gap-2">
          <Button type="submit" variant="primary" aria-keyshortcuts="Control+Enter" disabled={!ready}>
            {trial.running ? <Spinner className="text-accent-foreground" /> : null}
            {t(trial.running ? "workshop.running" : "workshop.run")}
          </Button>
          {trial.running ? <Button onClick={stop}>{t("workshop.stop")}</Button> : null}
          {missing.length > 0 ? (
            <span className="text-xs text-muted-foreground">
              {t("workshop.missing", { names: missing.join(", ") })}
            </span>
          ) : null}
        </div>
      </form>
      <TrialView trial={trial} />
      <Earlier tool={tool} name={schema?.name ?? null} />
    </div>
  );
}

/** What this machine lacks to run it, with the reason. */
function Missing({ draft }: { draft: Draft }) {
  const { t } = useTranslation();
  const { data } = useInterpreters();
  if (!data) return null;
  const python = draft.source_type === "python";
  if (python ? data.python : data.node) return null;
  const reason = python ? data.python_error : data.node_error;
  return (
    <p role="status" className="rounded-md border border-waiting bg-waiting-soft p-2">
      {t(python ? "workshop.noPython" : "workshop.noNode")} {reason}
    </p>
  );
}

function TrialView({ trial }: { trial: Trial }) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const { lines, result, error } = trial;
  if (!trial.running && lines.length === 0 && !result && !error) return null;
  return (
    <section aria-label={t("workshop.result")} aria-live="polite" className="flex flex-col gap-2">
      {error ? <Problem {...failure.of(error)} /> : null}
      {lines.map(({ kind, text }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces of output only ever grow at the end
        <div key={at} className="flex flex-col">
          <span className="text-xs text-muted-foreground">{t(`workshop.output.${kind}`)}</span>
          <VisibleText
            text={text}
            tabIndex={0}
            // What comes last is what one waits for.
            ref={(shown) => {
              if (shown && trial.running) shown.scrollTop = shown.scrollHeight;
            }}
            className={cn("rounded-sm border bg-card px-2 py-1", kind === "stderr" && "text-danger")}
          />
        </div>
      ))}
      {result ? (
        <>
          <p className={cn("font-medium", result.status === "success" ? "text-success" : "text-danger")}>
            {t(`workshop.status.${result.status}`)}{" "}
            <span className="text-xs font-normal text-muted-foreground tabular-nums">
              {duration(result.duration_ms * 1_000_000, i18n.language)}
            </span>
          </p>
          <VisibleText
            text={typeof result.value === "string" ? result.value : JSON.stringify(result.value, null, 2)}
            tabIndex={0}
            className="rounded-sm border bg-card px-2 py-1"
          />
          {Object.entries(result.changed_blocks ?? {}).map(([label, value]) => (
            <p key={label} className="text-xs">
              {t("workshop.changedBlock", { label })} <span className="whitespace-pre-wrap">{value}</span>
            </p>
          ))}
          <InForce given={result.confinement} />
        </>
      ) : null}
    </section>
  );
}

/** The walls it ran behind, as they were in force, and the holes in them. */
function InForce({ given }: { given: Confinement }) {
  const { t, i18n } = useTranslation();
  const gaps = given.gaps ?? [];
  const walls = [
    given.landlock ? t("workshop.walls.files") : null,
    given.network_blocked ? t("workshop.walls.network") : null,
    given.seccomp ? t("workshop.walls.calls") : null,
    given.signals_scoped ? t("workshop.walls.signals") : null,
    given.memory_bytes ? t("workshop.walls.memory", { size: size(given.memory_bytes, i18n.language) }) : null,
    given.processes ? t("workshop.walls.processes", { count: given.processes }) : null,
  ].filter((wall) => wall !== null);
  return (
    <div className="text-xs text-muted-foreground">
      <details>
        <summary>
          {t(given.network_granted === true ? "workshop.networkOpen" : "workshop.networkClosed")} ·{" "}
          {t(gaps.length === 0 ? "workshop.noGaps" : "workshop.gaps")}
        </summary>
        <ul className="mt-1 list-disc pl-5">
          {walls.map((wall) => (
            <li key={wall}>{wall}</li>
          ))}
        </ul>
      </details>
      {gaps.map((gap) => (
        <p key={gap} className="text-waiting-foreground">
          {gap}
        </p>
      ))}
    </div>
  );
}

/** Trials shown at once. */
const SHOWN = 20;

/** What is not saved yet has its trials in one heap: those of this function are picked out of it. */
function Earlier({ tool, name }: { tool: StoredTool | null; name: string | null }) {
  const { t, i18n } = useTranslation();
  const { data } = useTestRuns(tool);
  const runs = (data ?? []).filter((run) => tool !== null || run.name === name).slice(0, SHOWN);
  if (runs.length === 0) return null;
  return (
    <section aria-label={t("workshop.earlier")} className="flex flex-col gap-1">
      <h3 className="font-semibold">{t("workshop.earlier")}</h3>
      <ul className="flex flex-col">
        {runs.map((run) => (
          <li key={`${run.at}/${run.duration_ms}`} className="border-b last:border-b-0">
            <details>
              <summary className="flex items-center gap-2 py-1 text-xs">
                <span className={run.status === "success" ? "text-success" : "text-danger"}>
                  {t(`workshop.status.${run.status}`)}
                </span>
                <span className="min-w-0 flex-1 truncate font-mono text-muted-foreground">
                  {JSON.stringify(run.arguments)}
                </span>
                <span className="text-muted-foreground tabular-nums">
                  {duration(run.duration_ms * 1_000_000, i18n.language)}
                </span>
                <When date={run.at} className="text-muted-foreground" />
              </summary>
              <VisibleText text={run.result} tabIndex={0} className="rounded-sm bg-card px-2 py-1" />
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

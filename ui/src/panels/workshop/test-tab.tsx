import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useIsLocal } from "@/api/use-local";
import { VisibleText } from "@/components/agent/visible-text";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { type FormValue, missingIn, SchemaForm } from "@/components/ui/schema-form";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";
import type { Draft, StoredTool } from "./draft";
import { type DerivedSchema, useInterpreters, useTestRuns } from "./queries";
import { type Trial, useTrial } from "./use-trial";

type TestTabProps = { tool: StoredTool | null; draft: Draft; schema: DerivedSchema | null };

/** Runs what is written now with arguments of one's own, confined as it will be for an agent. */
export function TestTab({ tool, draft, schema }: TestTabProps) {
  const { t } = useTranslation();
  const local = useIsLocal();
  // Only a server's tool has a place of its own there for what was tried.
  const toolId = tool?.place === "server" ? tool.id : null;
  const { trial, run, stop } = useTrial(toolId);
  const [args, setArgs] = useState<FormValue>({});
  const [valid, setValid] = useState(true);
  if (!local && draft.place === "server")
    return <p className="text-muted-foreground">{t("workshop.testElsewhere")}</p>;
  const parameters = schema?.parameters ?? {};
  const missing = missingIn(parameters, args);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const known = Object.entries(args).filter(([name]) => name in (parameters.properties ?? {}));
    void run(draft, schema?.name ?? null, Object.fromEntries(known));
  };
  return (
    <div className="flex flex-col gap-4">
      <Missing draft={draft} />
      <form aria-label={t("workshop.arguments")} className="flex flex-col gap-3" onSubmit={submit}>
        <SchemaForm
          schema={parameters}
          value={args}
          onChange={(next, ok) => {
            setArgs(next);
            setValid(ok);
          }}
        />
        <div className="flex items-center gap-2">
          <Button
            type="submit"
            variant="primary"
            disabled={trial.running || !schema || !valid || missing.length > 0}
          >
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
      <Earlier toolId={toolId} name={schema?.name ?? null} />
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
          <Confinement given={result.confinement} />
        </>
      ) : null}
    </section>
  );
}

/** The walls it ran behind, as they were in force, and the holes in them. */
function Confinement({ given }: { given: Record<string, unknown> }) {
  const { t } = useTranslation();
  const gaps = Array.isArray(given.gaps) ? given.gaps.map(String) : [];
  return (
    <div className="text-xs text-muted-foreground">
      <p>
        {t(given.network_granted === true ? "workshop.networkOpen" : "workshop.networkClosed")} ·{" "}
        {t(gaps.length === 0 ? "workshop.noGaps" : "workshop.gaps")}
      </p>
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

/** What no server keeps has its trials in one heap: those of this function are picked out of it. */
function Earlier({ toolId, name }: { toolId: string | null; name: string | null }) {
  const { t, i18n } = useTranslation();
  const { data } = useTestRuns(toolId ?? "new");
  const runs = (data ?? []).filter((run) => toolId !== null || run.name === name).slice(0, SHOWN);
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

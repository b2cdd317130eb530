import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Step } from "@/api/types";
import { useLack } from "@/api/use-lack";
import { Button } from "@/components/ui/button";
import { CodeEditor } from "@/components/ui/code";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { count, dollars, duration } from "@/lib/quantity";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { type NotedCall, useTiming, useTrace } from "./queries";

type StepViewProps = {
  step: Step;
  number: number;
  /** US dollars at list prices, where they are known. */
  cost: number | null;
};

/** One call of the model with the tools it asked for: tokens, times, and the exact bodies. */
export function StepView({ step, number, cost }: StepViewProps) {
  const { t, i18n } = useTranslation();
  const { data: timing } = useTiming(step.id);
  const lack = useLack("step_trace");
  const [raw, setRaw] = useState(false);
  const tokens = (value: number) => count(value, i18n.language);
  const facts: [string, string][] = [];
  const add = (name: string, value: string | null) => {
    if (value !== null) facts.push([name, value]);
  };
  const time = (ns: number | null | undefined) => (ns ? duration(ns, i18n.language) : null);
  const amount = (value: number | null | undefined) => (value ? tokens(value) : null);
  add(t("runs.model"), step.model_handle ?? step.model ?? null);
  add(t("runs.tokensIn"), typeof step.prompt_tokens === "number" ? tokens(step.prompt_tokens) : null);
  add(t("runs.tokensCached"), amount(step.cached_input_tokens));
  add(
    t("runs.tokensOut"),
    typeof step.completion_tokens === "number" ? tokens(step.completion_tokens) : null,
  );
  add(t("runs.tokensReasoning"), amount(step.reasoning_tokens));
  add(t("runs.cost"), cost === null ? null : dollars(cost, i18n.language));
  add(t("runs.modelTime"), time(timing?.llm_request_ns));
  add(t("runs.toolTime"), time(timing?.tool_execution_ns));
  add(t("runs.stepTime"), time(timing?.step_ns));
  const fault = faultOf(step);
  return (
    <section
      aria-label={t("runs.step", { number })}
      className="flex flex-col gap-1.5 rounded-sm bg-muted/60 p-2"
    >
      <header className="flex items-center gap-2">
        <h2 className="flex-1 font-medium">{t("runs.step", { number })}</h2>
        <Button size="sm" lack={lack} onClick={() => setRaw(true)}>
          {t("runs.raw")}
        </Button>
      </header>
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 text-xs tabular-nums">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted-foreground">{name}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <Calls calls={timing?.loci_tool_calls ?? []} />
      {fault ? <p className="text-xs break-words whitespace-pre-wrap text-danger">{fault}</p> : null}
      <Dialog open={raw} onOpenChange={setRaw}>
        <DialogContent
          heading={t("runs.rawHeading", { number })}
          explanation={t("runs.rawExplanation")}
          className="w-[min(72rem,calc(100vw-2rem))]"
        >
          <Raw stepId={step.id} />
        </DialogContent>
      </Dialog>
    </section>
  );
}

/** The calls that could have reached outside the agent, with what was in force. */
function Calls({ calls }: { calls: NotedCall[] }) {
  const { t } = useTranslation();
  const say = useSay();
  if (calls.length === 0) return null;
  return (
    <ul aria-label={t("runs.calls")} className="flex flex-col gap-0.5 text-xs">
      {calls.map((call) => (
        <li key={call.tool_call_id} className="break-words">
          <span className="font-mono">{call.name}</span> {t(`runs.callState.${call.state}`)}
          {call.confinement ? (
            <span className="text-muted-foreground">
              {" · "}
              {call.confined?.map(say).join("; ") ?? call.confinement}
            </span>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function Raw({ stepId }: { stepId: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending } = useTrace(stepId, true);
  if (isPending) return <Spinner aria-label={t("common.loading")} />;
  if (error) return <Problem {...failure.of(error)} />;
  if (!data) return <p className="text-muted-foreground">{t("runs.rawGone")}</p>;
  return (
    <div className="grid min-h-0 gap-3 lg:grid-cols-2">
      <Body label={t("runs.request")} value={data.request_json} />
      <Body label={t("runs.response")} value={data.response_json} />
    </div>
  );
}

function Body({ label, value }: { label: string; value: unknown }) {
  const { t } = useTranslation();
  const text = JSON.stringify(value, null, 2) ?? "";
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <div className="flex items-center justify-between">
        <h3 className="font-medium">{label}</h3>
        <CopyButton label={t("runs.copy", { what: label })} text={() => text} />
      </div>
      <CodeEditor label={label} value={text} language="json" readOnly />
    </div>
  );
}

function faultOf({ error_data }: Step): string | null {
  const message = error_data?.message;
  return typeof message === "string" ? message : null;
}

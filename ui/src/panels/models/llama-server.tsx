import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { VisibleText } from "@/components/agent/visible-text";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { count, size } from "@/lib/quantity";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { LlamaForm } from "./llama-form";
import { isUp, type Managed, useManaged, useManagedLog, useStopManaged } from "./llama-queries";

const TONES: Record<Managed["phase"], string> = {
  stopped: "text-muted-foreground",
  starting: "text-muted-foreground",
  running: "text-success",
  waiting: "text-waiting-foreground",
  failed: "text-danger",
};

/** A model file run by Loci itself: chosen, started, stopped, and watched. */
export function LlamaServer() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, refetch } = useManaged();
  const [open, setOpen] = useState(false);
  return (
    <section aria-labelledby="llama-heading" className="rounded-md border bg-card">
      <h2 id="llama-heading">
        <button
          type="button"
          aria-expanded={open}
          className="flex w-full items-center gap-2 rounded-md px-3 py-2 text-left hover:bg-muted"
          onClick={() => setOpen(!open)}
        >
          <ChevronRight
            aria-hidden
            className={cn("size-3.5 shrink-0 text-muted-foreground", open && "rotate-90")}
          />
          <span className="min-w-0 flex-1 font-medium">{t("llama.heading")}</span>
          {data ? (
            <span className={cn("shrink-0 text-xs", TONES[data.phase])}>
              {t(`llama.phases.${data.phase}`)}
            </span>
          ) : null}
        </button>
      </h2>
      {open ? (
        <div className="flex flex-col gap-3 border-t p-3">
          <p className="text-xs text-muted-foreground">{t("llama.explanation")}</p>
          {error ? (
            <Problem {...failure.of(error)}>
              <Button size="sm" onClick={() => void refetch()}>
                {t("common.tryAgain")}
              </Button>
            </Problem>
          ) : null}
          {data ? (
            <>
              <State managed={data} />
              <LlamaForm managed={data} />
              <Log />
            </>
          ) : null}
        </div>
      ) : null}
    </section>
  );
}

function State({ managed }: { managed: Managed }) {
  const { t, i18n } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const stop = useStopManaged();
  const number = (value: number) => count(value, i18n.language);
  const { base_url, context_in_force, memory_bytes, tokens_per_second, restarts } = managed;
  const facts = [
    context_in_force === null ? null : t("llama.inForce", { tokens: number(context_in_force) }),
    memory_bytes === null ? null : t("llama.memory", { size: size(memory_bytes, i18n.language) }),
    tokens_per_second === null ? null : t("models.speed", { tokens: number(Math.round(tokens_per_second)) }),
    restarts === 0 ? null : t("llama.restarts", { count: restarts }),
  ].filter((fact) => fact !== null);
  return (
    <div className="flex flex-col gap-2 empty:hidden">
      {managed.program === null ? <p className="text-waiting-foreground">{t("llama.noProgram")}</p> : null}
      {managed.problem ? (
        <p role="alert" className="break-words text-danger">
          {say(managed.problem)}
        </p>
      ) : null}
      {isUp(managed) ? (
        <div className="flex flex-col gap-1 text-xs text-muted-foreground tabular-nums">
          <p>
            <span className="font-mono break-all">{managed.launch.model}</span>
            {base_url ? (
              <>
                {" · "}
                <span className="font-mono">{base_url}</span>
              </>
            ) : null}
            {managed.started_at ? (
              <>
                {` · ${t("llama.since")} `}
                <When date={managed.started_at} />
              </>
            ) : null}
          </p>
          {facts.length > 0 ? <p>{facts.join(" · ")}</p> : null}
          {managed.context_note ? (
            <p className="text-waiting-foreground">
              {t("llama.otherContext", {
                asked: number(managed.launch.context_length ?? 0),
                real: number(context_in_force ?? 0),
              })}
            </p>
          ) : null}
        </div>
      ) : null}
      {stop.error ? <Problem {...failure.of(stop.error)} /> : null}
      {isUp(managed) ? (
        <Button className="self-start" disabled={stop.isPending} onClick={() => stop.mutate()}>
          {stop.isPending || managed.phase === "starting" ? <Spinner /> : null}
          {t("llama.stop")}
        </Button>
      ) : null}
    </div>
  );
}

/** What the program writes, read only while somebody looks. */
function Log() {
  const { t } = useTranslation();
  const failure = useFailure();
  const [open, setOpen] = useState(false);
  const { data, error } = useManagedLog(open);
  return (
    <div className="flex flex-col gap-1.5">
      <button
        type="button"
        aria-expanded={open}
        className="flex items-center gap-1 self-start text-xs text-muted-foreground hover:text-foreground"
        onClick={() => setOpen(!open)}
      >
        <ChevronRight aria-hidden className={cn("size-3", open && "rotate-90")} />
        {t("llama.log")}
      </button>
      {open && error ? <Problem {...failure.of(error)} /> : null}
      {open && data ? (
        <VisibleText
          text={data.lines.length > 0 ? data.lines.join("\n") : t("llama.noLog")}
          tabIndex={0}
          className="rounded-sm bg-muted px-2 py-1"
        />
      ) : null}
    </div>
  );
}

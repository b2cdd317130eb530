import { Ban, Check, CircleDashed, Hand, LoaderCircle, type LucideIcon, PenLine, X } from "lucide-react";
import { type ComponentProps, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { mainArgument } from "@/lib/arguments";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/quantity";
import { namedHidden } from "@/lib/visible";
import type { ToolPart, ToolState } from "@/run/project";
import { Arguments } from "./arguments";
import { useLiveCall } from "./live-output";
import { VisibleText } from "./visible-text";

const STATES: Record<ToolState, { icon: LucideIcon; tone: string; spin?: true }> = {
  writing: { icon: PenLine, tone: "text-muted-foreground" },
  running: { icon: LoaderCircle, tone: "text-muted-foreground", spin: true },
  waiting: { icon: Hand, tone: "text-waiting-foreground" },
  succeeded: { icon: Check, tone: "text-success" },
  failed: { icon: X, tone: "text-danger" },
  denied: { icon: Ban, tone: "text-danger" },
  interrupted: { icon: CircleDashed, tone: "text-muted-foreground" },
};

type ToolCallProps = ComponentProps<"details"> & { tool: ToolPart };

/** One line when closed; arguments and result side by side when open. Below it what it says while it runs. */
export function ToolCall({ tool, className, ...rest }: ToolCallProps) {
  const live = useLiveCall(tool.toolCallId);
  return (
    <>
      <details
        data-testid="tool-call"
        data-state={tool.state}
        className={cn(
          "group rounded-md border bg-card",
          tool.state === "waiting" && "border-waiting",
          className,
        )}
        {...rest}
      >
        <ToolCallLine tool={tool} />
        <ToolCallDetails tool={tool} />
      </details>
      {tool.state === "running" ? live : null}
    </>
  );
}

function ToolCallLine({ tool }: { tool: ToolPart }) {
  const { t, i18n } = useTranslation();
  const { icon: Icon, tone, spin } = STATES[tool.state];
  return (
    <summary className="flex list-none items-center gap-2 rounded-md px-2.5 py-1.5 hover:bg-muted [&::-webkit-details-marker]:hidden">
      <Icon aria-hidden className={cn("size-3.5 shrink-0", tone, spin && "animate-spin")} />
      <span className="font-mono text-xs font-semibold">{tool.name || t("tool.unnamed")}</span>
      <span className="min-w-0 flex-1 truncate font-mono text-xs text-muted-foreground">
        {namedHidden(mainArgument(tool.arguments))}
      </span>
      <span className={cn("shrink-0 text-xs", tone)}>{t(`tool.state.${tool.state}`)}</span>
      {tool.since === null ? null : <Elapsed since={tool.since} />}
      {tool.duration === null ? null : (
        <span className="shrink-0 text-xs text-muted-foreground tabular-nums">
          {duration(tool.duration * 1e6, i18n.language)}
        </span>
      )}
    </summary>
  );
}

function ToolCallDetails({ tool: { arguments: json, result } }: { tool: ToolPart }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-3 border-t p-2.5 md:grid-cols-2">
      <section className="flex min-w-0 flex-col gap-1">
        <h2 className="text-xs font-semibold text-muted-foreground">{t("tool.arguments")}</h2>
        <Arguments json={json} />
      </section>
      <section className="flex min-w-0 flex-col gap-1">
        <h2 className="text-xs font-semibold text-muted-foreground">{t("tool.result")}</h2>
        {result ? (
          <>
            <VisibleText
              text={result.text || t("tool.emptyResult")}
              tabIndex={0}
              className={cn("rounded-sm bg-muted px-2 py-1", result.status === "error" && "bg-danger-soft")}
            />
            <Output name="stdout" lines={result.stdout} />
            <Output name="stderr" lines={result.stderr} />
          </>
        ) : (
          <p className="text-xs text-muted-foreground">{t("tool.noResult")}</p>
        )}
      </section>
    </div>
  );
}

function Output({ name, lines }: { name: string; lines: string[] }) {
  const text = lines.join("").trimEnd();
  if (!text) return null;
  return (
    <>
      <h3 className="font-mono text-xs text-muted-foreground">{name}</h3>
      <VisibleText text={text} tabIndex={0} className="rounded-sm bg-muted px-2 py-1" />
    </>
  );
}

/** Milliseconds after which it is worth saying how long it has been. */
const LONG = 2000;

/** How long a call runs already, counted in seconds. */
function Elapsed({ since }: { since: number }) {
  const { i18n } = useTranslation();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const elapsed = now - since;
  if (elapsed < LONG) return null;
  return (
    <span className="shrink-0 text-xs text-muted-foreground tabular-nums">
      {duration(Math.floor(elapsed / 1000) * 1e9, i18n.language)}
    </span>
  );
}

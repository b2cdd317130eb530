import { Hand } from "lucide-react";
import { type ComponentProps, type KeyboardEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Decision, PendingCall } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Textarea } from "@/components/ui/field";
import { cn } from "@/lib/cn";
import { Arguments } from "./arguments";
import { VisibleText } from "./visible-text";

/** What the person has said about one call so far. */
type Choice =
  | { state: "open" }
  | { state: "allowed" }
  | { state: "denied" }
  /** Denied, with the words still being written or written. */
  | { state: "explained"; reason: string };

const OPEN: Choice = { state: "open" };

type ApprovalProps = Omit<ComponentProps<"section">, "role"> & {
  agentName: string;
  calls: readonly PendingCall[];
  /** An answer is on its way. */
  busy: boolean;
  /** Always one decision for every call. */
  onAnswer: (decisions: Decision[]) => void;
  /** Escape decides nothing: it leads out of the card. */
  onLeave: () => void;
};

/**
 * Asks about the calls of one turn. A single call is answered by its button; several are decided one by one and
 * sent together, because the server takes no partial answer.
 */
export function Approval({ agentName, calls, busy, onAnswer, onLeave, className, ...rest }: ApprovalProps) {
  const { t } = useTranslation();
  const id = useId();
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [edits, setEdits] = useState<Record<string, string>>({});
  const single = calls.length === 1;

  const answer = (given: Record<string, Choice>) => {
    const decisions = calls.map((call) =>
      decisionOf(call, given[call.tool_call_id] ?? OPEN, edits[call.tool_call_id]),
    );
    if (decisions.every((decision) => decision !== null)) onAnswer(decisions);
  };
  const choose = (call: PendingCall, choice: Choice) => {
    const next = { ...choices, [call.tool_call_id]: choice };
    setChoices(next);
    if (single && choice.state !== "explained" && choice.state !== "open") answer(next);
  };
  const ready = calls.every(
    (call) => decisionOf(call, choices[call.tool_call_id] ?? OPEN, edits[call.tool_call_id]) !== null,
  );
  const explaining = single && choices[calls[0]?.tool_call_id ?? ""]?.state === "explained";

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    onLeave();
  };

  return (
    <section
      role="alertdialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-what`}
      aria-busy={busy}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      className={cn(
        "flex max-h-[60vh] animate-appear flex-col rounded-md border border-l-4 border-waiting bg-waiting-soft",
        className,
      )}
      {...rest}
    >
      <header className="flex items-start gap-2 p-3 pb-2">
        <Hand aria-hidden className="mt-0.5 size-4 shrink-0 text-waiting-foreground" />
        <div>
          <h2 id={`${id}-title`} className="font-semibold">
            {t("approval.title", { agent: agentName, count: calls.length })}
          </h2>
          <p id={`${id}-what`} className="text-muted-foreground">
            {calls.map((call) => call.name).join(", ")} · {t("approval.nothingRan")}
          </p>
        </div>
      </header>
      <ol className="flex min-h-0 flex-col gap-3 overflow-y-auto px-3 pb-3">
        {calls.map((call) => (
          <li key={call.tool_call_id}>
            <CallChoice
              call={call}
              choice={choices[call.tool_call_id] ?? OPEN}
              edit={edits[call.tool_call_id]}
              pressed={!single}
              busy={busy}
              onChoice={(choice) => choose(call, choice)}
              onEdit={(text) =>
                setEdits(({ [call.tool_call_id]: _, ...others }) =>
                  text === undefined ? others : { ...others, [call.tool_call_id]: text },
                )
              }
            />
          </li>
        ))}
      </ol>
      {single && !explaining ? null : (
        <footer className="flex flex-wrap items-center gap-2 border-t border-waiting/50 px-3 py-2">
          {single ? null : (
            <Button
              disabled={busy}
              onClick={() =>
                setChoices(Object.fromEntries(calls.map((call) => [call.tool_call_id, { state: "allowed" }])))
              }
            >
              {t("approval.allowAll")}
            </Button>
          )}
          <Button variant="primary" disabled={busy || !ready} onClick={() => answer(choices)}>
            {t(single ? "approval.sendDenial" : "approval.sendDecisions")}
          </Button>
          {single ? null : <span className="text-xs text-muted-foreground">{t("approval.together")}</span>}
        </footer>
      )}
    </section>
  );
}

type CallChoiceProps = {
  call: PendingCall;
  choice: Choice;
  /** The edited arguments; absent while they are the model's. */
  edit: string | undefined;
  /** Buttons show what was chosen, because sending is a step of its own. */
  pressed: boolean;
  busy: boolean;
  onChoice: (choice: Choice) => void;
  onEdit: (text: string | undefined) => void;
};

function CallChoice({ call, choice, edit, pressed, busy, onChoice, onEdit }: CallChoiceProps) {
  const { t } = useTranslation();
  const id = useId();
  const broken = edit !== undefined && !isObject(edit);
  const toggle = (state: Choice["state"]) => (pressed ? { "aria-pressed": choice.state === state } : {});
  return (
    <fieldset
      aria-labelledby={`${id}-name`}
      className="flex min-w-0 flex-col gap-2 rounded-md border bg-card p-2.5"
    >
      <div className="flex items-baseline gap-2">
        <h3 id={`${id}-name`} className="font-mono font-semibold">
          {call.name}
        </h3>
        <span className="text-xs text-muted-foreground">{t(`approval.where.${call.kind}`)}</span>
      </div>
      {edit === undefined ? (
        <Arguments json={call.arguments} />
      ) : (
        <div className="flex flex-col gap-1">
          <label htmlFor={`${id}-edit`} className="text-xs font-medium">
            {t("approval.editLabel")}
          </label>
          <Textarea
            id={`${id}-edit`}
            rows={6}
            spellCheck={false}
            aria-invalid={broken || undefined}
            className="font-mono text-xs"
            value={edit}
            onChange={(event) => onEdit(event.target.value)}
          />
          <p className={cn("text-xs", broken ? "text-danger" : "text-muted-foreground")}>
            {t(broken ? "approval.notJson" : "approval.editHint")}
          </p>
        </div>
      )}
      {call.preview ? (
        <VisibleText text={call.preview} tabIndex={0} className="rounded-sm bg-muted px-2 py-1" />
      ) : null}
      {call.problem ? <p className="text-danger">{call.problem}</p> : null}
      <div className="flex flex-wrap gap-2">
        <Button
          {...toggle("allowed")}
          className={PRESSED}
          disabled={busy || broken || Boolean(call.problem)}
          onClick={() => onChoice({ state: "allowed" })}
        >
          {t(edit === undefined ? "approval.allowOnce" : "approval.allowEdited")}
        </Button>
        <Button
          {...toggle("denied")}
          className={PRESSED}
          disabled={busy}
          onClick={() => onChoice({ state: "denied" })}
        >
          {t("approval.deny")}
        </Button>
        <Button
          {...toggle("explained")}
          className={PRESSED}
          disabled={busy}
          onClick={() => onChoice(choice.state === "explained" ? OPEN : { state: "explained", reason: "" })}
        >
          {t("approval.denyWithReason")}
        </Button>
        <Button
          variant="quiet"
          className="ml-auto"
          disabled={busy}
          onClick={() => onEdit(edit === undefined ? pretty(call.arguments) : undefined)}
        >
          {t(edit === undefined ? "approval.edit" : "approval.undoEdit")}
        </Button>
      </div>
      {choice.state === "explained" ? (
        <div className="flex flex-col gap-1">
          <label htmlFor={`${id}-reason`} className="text-xs font-medium">
            {t("approval.reasonLabel")}
          </label>
          <Textarea
            id={`${id}-reason`}
            rows={2}
            // The person has just asked for this field.
            autoFocus
            value={choice.reason}
            onChange={(event) => onChoice({ state: "explained", reason: event.target.value })}
          />
        </div>
      ) : null}
    </fieldset>
  );
}

const PRESSED = "aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-semibold";

/** The decision a choice amounts to; `null` while it is not made. */
function decisionOf(call: PendingCall, choice: Choice, edit: string | undefined): Decision | null {
  const seen = { tool_call_id: call.tool_call_id, ...(call.hash ? { hash: call.hash } : {}) };
  switch (choice.state) {
    case "open":
      return null;
    case "allowed":
      if (call.problem) return null;
      if (edit === undefined) return { ...seen, decision: "allow" };
      return isObject(edit) ? { ...seen, decision: "allow", arguments: edit } : null;
    case "denied":
      return { ...seen, decision: "deny" };
    case "explained":
      return choice.reason.trim() ? { ...seen, decision: "deny", reason: choice.reason.trim() } : null;
    default:
      choice satisfies never;
      return null;
  }
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

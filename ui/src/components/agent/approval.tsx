import { Hand, TriangleAlert } from "lucide-react";
import { type ComponentProps, type KeyboardEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Decision, PendingCall } from "@/api/approvals";
import { Button } from "@/components/ui/button";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { ApprovalCall } from "./approval-call";
import { type Choice, decisionOf, type Extra, OPEN } from "./decision";
import type { Rehearse } from "./remember-form";

type ApprovalProps = Omit<ComponentProps<"section">, "role"> & {
  agentName: string;
  calls: readonly PendingCall[];
  /** From then on it is denied by itself. */
  expiresAt?: string | null;
  /** An answer is on its way. */
  busy: boolean;
  /** Always one decision for every call that the rules leave open. */
  onAnswer: (decisions: Decision[]) => void;
  /** Escape decides nothing: it leads out of the card. */
  onLeave: () => void;
  onRehearse?: Rehearse | undefined;
};

const NOTHING: Extra = {};

/**
 * Asks about the calls of one turn. A single call is answered by its button; several are decided one by one and
 * sent together, because the server takes no partial answer.
 */
export function Approval({
  agentName,
  calls,
  expiresAt = null,
  busy,
  onAnswer,
  onLeave,
  onRehearse,
  className,
  onKeyDown: onKeyDownOutside,
  ...rest
}: ApprovalProps) {
  const { t } = useTranslation();
  const id = useId();
  const [choices, setChoices] = useState<Record<string, Choice>>({});
  const [extras, setExtras] = useState<Record<string, Extra>>({});
  const single = calls.length === 1;
  const dangerous = calls.some((call) => call.dangerous);

  const decide = (given: Record<string, Choice>) =>
    calls.map((call) =>
      decisionOf(call, given[call.tool_call_id] ?? OPEN, extras[call.tool_call_id] ?? NOTHING),
    );
  const answer = (given: Record<string, Choice>) => {
    const decisions = decide(given);
    if (decisions.every((decision) => decision !== undefined)) {
      onAnswer(decisions.filter((decision) => decision !== null));
    }
  };
  const choose = (call: PendingCall, choice: Choice) => {
    const next = { ...choices, [call.tool_call_id]: choice };
    setChoices(next);
    if (single && choice.state !== "explained" && choice.state !== "open") answer(next);
  };
  const ready = decide(choices).every((decision) => decision !== undefined);
  const explaining = single && choices[calls[0]?.tool_call_id ?? ""]?.state === "explained";
  // Nothing is left to press on the call itself when the rules decided about it.
  const ruled = single && ready && !explaining;

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    onKeyDownOutside?.(event);
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      onLeave();
    } else if (event.altKey && pressByKey(event)) {
      event.preventDefault();
    }
  };
  const Sign = dangerous ? TriangleAlert : Hand;
  return (
    <section
      {...rest}
      role="alertdialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-what`}
      aria-busy={busy}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      className={cn(
        "flex max-h-[60vh] animate-appear flex-col rounded-md border border-l-4 border-waiting bg-waiting-soft",
        dangerous && "border-danger",
        className,
      )}
    >
      <header className="flex items-start gap-2 p-3 pb-2">
        <Sign
          aria-hidden
          className={cn("mt-0.5 size-4 shrink-0", dangerous ? "text-danger" : "text-waiting-foreground")}
        />
        <div>
          <h2 id={`${id}-title`} className="font-semibold">
            {t("approval.title", { agent: agentName, count: calls.length })}
          </h2>
          <p id={`${id}-what`} className="text-muted-foreground">
            {calls.map((call) => call.name).join(", ")} ·{" "}
            {t(calls.some((call) => call.outcome) ? "approval.someRan" : "approval.nothingRan")}
            {expiresAt ? (
              <>
                {" · "}
                {t("approval.expires")} <When date={expiresAt} />
              </>
            ) : null}
          </p>
        </div>
      </header>
      <ol className="flex min-h-0 flex-col gap-3 overflow-y-auto px-3 pb-3">
        {calls.map((call) => (
          <li key={call.tool_call_id}>
            <ApprovalCall
              call={call}
              choice={choices[call.tool_call_id] ?? OPEN}
              extra={extras[call.tool_call_id] ?? NOTHING}
              pressed={!single}
              busy={busy}
              onChoice={(choice) => choose(call, choice)}
              onExtra={(extra) => setExtras((before) => ({ ...before, [call.tool_call_id]: extra }))}
              onRehearse={onRehearse}
            />
          </li>
        ))}
      </ol>
      {single && !explaining && !ruled ? null : (
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
            {t(explaining ? "approval.sendDenial" : "approval.sendDecisions")}
          </Button>
          {single ? null : <span className="text-xs text-muted-foreground">{t("approval.together")}</span>}
        </footer>
      )}
    </section>
  );
}

/** Alt with 1 to 4 presses the choices of the call the focus is in, or of the only one. By the key's place. */
function pressByKey(event: KeyboardEvent<HTMLElement>): boolean {
  const digit = /^Digit([1-4])$/.exec(event.code)?.[1];
  if (!digit) return false;
  const calls = event.currentTarget.querySelectorAll("fieldset");
  const within = event.target instanceof Element ? (event.target.closest("fieldset") ?? null) : null;
  const call = within ?? (calls.length === 1 ? calls[0] : null);
  const button = call?.querySelector<HTMLButtonElement>(`button[aria-keyshortcuts="Alt+${digit}"]`);
  button?.click();
  return Boolean(button);
}

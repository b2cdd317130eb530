import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { PendingCall } from "@/api/approvals";
import { Button } from "@/components/ui/button";
import { Input, Textarea } from "@/components/ui/field";
import { cn } from "@/lib/cn";
import { useSay } from "@/lib/say";
import { ApprovalChange } from "./approval-change";
import { Arguments } from "./arguments";
import { CallDetailView } from "./call-detail";
import { asksPerson, type Choice, type Extra, isObject, isRuled, OPEN, pretty } from "./decision";
import { type Rehearse, RememberForm } from "./remember-form";
import { VisibleInline, VisibleText } from "./visible-text";

export type ApprovalCallProps = {
  call: PendingCall;
  choice: Choice;
  extra: Extra;
  /** Buttons show what was chosen, because sending is a step of its own. */
  pressed: boolean;
  busy: boolean;
  onChoice: (choice: Choice) => void;
  onExtra: (extra: Extra) => void;
  /** Absent: nothing can be remembered here. */
  onRehearse: Rehearse | undefined;
};

/** One call that waits: what it would do, every argument, and the choices in their fixed order. */
export function ApprovalCall(props: ApprovalCallProps) {
  const { call, choice, extra, onExtra } = props;
  const { t } = useTranslation();
  const say = useSay();
  const id = useId();
  const broken = extra.edit !== undefined && !isObject(extra.edit);
  return (
    <fieldset
      aria-labelledby={`${id}-name`}
      className={cn(
        "flex min-w-0 flex-col gap-2 rounded-md border bg-card p-2.5",
        call.dangerous && "border-danger/60",
      )}
    >
      <div className="flex flex-wrap items-baseline gap-x-2">
        <h3 id={`${id}-name`} className="font-mono font-semibold">
          <VisibleInline text={call.name} />
        </h3>
        <span className="text-xs text-muted-foreground">{t(`approval.where.${call.kind}`)}</span>
        {call.read_only ? (
          <span className="text-xs text-muted-foreground">{t("approval.readOnly")}</span>
        ) : null}
        {call.dangerous ? (
          <span className="text-xs font-semibold text-danger">{t("approval.dangerous")}</span>
        ) : null}
      </div>
      {call.changed ? <ApprovalChange change={call.changed} /> : null}
      {call.detail ? <CallDetailView detail={call.detail} /> : null}
      {extra.edit === undefined ? (
        <ShownArguments call={call} />
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
            value={extra.edit}
            onChange={(event) => onExtra({ ...extra, edit: event.target.value })}
          />
          <p className={cn("text-xs", broken ? "text-danger" : "text-muted-foreground")}>
            {t(broken ? "approval.notJson" : "approval.editHint")}
          </p>
        </div>
      )}
      {call.preview && !call.detail ? (
        <VisibleText text={say(call.preview) ?? ""} tabIndex={0} className="rounded-sm bg-muted px-2 py-1" />
      ) : null}
      {asksPerson(call) ? <AnswerField {...props} id={`${id}-answer`} /> : null}
      {isRuled(call) ? (
        <p className="text-xs font-medium">
          {t(`approval.ruled.${call.verdict?.effect}`)}{" "}
          <span className="font-normal text-muted-foreground">{say(call.verdict?.because)}</span>
        </p>
      ) : null}
      {call.outcome ? (
        <p className="rounded-sm border border-waiting bg-waiting-soft px-2 py-1">
          {t(`approval.outcome.${call.outcome.state}`)}
        </p>
      ) : null}
      {call.problem ? <p className="text-danger">{say(call.problem)}</p> : null}
      <Choices {...props} broken={broken} />
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
            onChange={(event) => props.onChoice({ state: "explained", reason: event.target.value })}
          />
        </div>
      ) : null}
    </fieldset>
  );
}

/** The detail says it all in a better form: the arguments are then one press away, never gone. */
function ShownArguments({ call }: { call: PendingCall }) {
  const { t } = useTranslation();
  if (!call.detail || call.detail.type === "text") return <Arguments json={call.arguments} />;
  return (
    <details>
      <summary className="text-xs text-muted-foreground">{t("approval.allArguments")}</summary>
      <Arguments json={call.arguments} className="mt-1" />
    </details>
  );
}

function AnswerField({ call, extra, busy, onExtra, id }: ApprovalCallProps & { id: string }) {
  const { t } = useTranslation();
  const choices = call.detail?.type === "question" ? call.detail.choices : [];
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex flex-wrap gap-1.5">
        {choices.map((each) => (
          <Button
            key={each}
            size="sm"
            disabled={busy}
            aria-pressed={extra.answer === each}
            className={PRESSED}
            onClick={() => onExtra({ ...extra, answer: each })}
          >
            {each}
          </Button>
        ))}
      </div>
      <label htmlFor={id} className="text-xs font-medium">
        {t("approval.answerLabel")}
      </label>
      <Input
        id={id}
        value={extra.answer ?? ""}
        disabled={busy}
        onChange={(event) => onExtra({ ...extra, answer: event.target.value })}
      />
    </div>
  );
}

const PRESSED = "aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-semibold";

/** The choices, always in this order: allow once, allow more, deny, deny and say why. */
function Choices(props: ApprovalCallProps & { broken: boolean }) {
  const { call, choice, extra, pressed, busy, broken, onChoice, onExtra, onRehearse } = props;
  const { t } = useTranslation();
  const [remembering, setRemembering] = useState(false);
  const toggle = (on: boolean) => (pressed ? { "aria-pressed": on } : {});
  const edited = extra.edit !== undefined;
  const ran = call.outcome?.state === "finished";
  const unknown = call.outcome?.state === "unknown";
  const forbidden = call.verdict?.effect === "deny";
  const unanswered = asksPerson(call) && !extra.answer?.trim();
  const mayAllow = !busy && !broken && !call.problem && !forbidden && !unanswered;
  const rehearse = edited || asksPerson(call) || call.outcome || isRuled(call) ? undefined : onRehearse;
  return (
    <>
      {/* The card presses these by their keys, wherever in it the focus is. */}
      <div className="flex flex-wrap gap-2">
        <Button
          {...toggle(choice.state === "allowed" && !choice.remember)}
          aria-keyshortcuts="Alt+1"
          className={PRESSED}
          disabled={!mayAllow}
          onClick={() => onChoice({ state: "allowed" })}
        >
          {t(allowWords(call, edited))}
        </Button>
        {rehearse ? (
          <Button
            {...toggle(choice.state === "allowed" && Boolean(choice.remember))}
            aria-keyshortcuts="Alt+2"
            aria-expanded={remembering}
            className={PRESSED}
            disabled={!mayAllow}
            onClick={() => setRemembering(!remembering)}
          >
            {t("approval.allowMore")}
          </Button>
        ) : null}
        {unknown ? (
          <Button
            {...toggle(choice.state === "reported")}
            className={PRESSED}
            disabled={busy}
            onClick={() => onChoice({ state: "reported" })}
          >
            {t("approval.report")}
          </Button>
        ) : null}
        <Button
          {...toggle(choice.state === "denied")}
          aria-keyshortcuts="Alt+3"
          className={PRESSED}
          disabled={busy || ran}
          onClick={() => onChoice({ state: "denied" })}
        >
          {t("approval.deny")}
        </Button>
        <Button
          {...toggle(choice.state === "explained")}
          aria-keyshortcuts="Alt+4"
          className={PRESSED}
          disabled={busy || ran}
          onClick={() => onChoice(choice.state === "explained" ? OPEN : { state: "explained", reason: "" })}
        >
          {t("approval.denyWithReason")}
        </Button>
        {asksPerson(call) || ran ? null : (
          <Button
            variant="quiet"
            className="ml-auto"
            disabled={busy}
            onClick={() => onExtra({ ...extra, edit: edited ? undefined : pretty(call.arguments) })}
          >
            {t(edited ? "approval.undoEdit" : "approval.edit")}
          </Button>
        )}
      </div>
      {remembering && rehearse ? (
        <RememberForm
          call={call}
          busy={busy}
          onRehearse={rehearse}
          onCancel={() => setRemembering(false)}
          onAllow={(remember) => {
            setRemembering(false);
            onChoice({ state: "allowed", remember });
          }}
        />
      ) : null}
    </>
  );
}

function allowWords(call: PendingCall, edited: boolean): string {
  if (asksPerson(call)) return "approval.sendAnswer";
  if (call.outcome?.state === "finished") return "approval.sendResult";
  if (call.outcome?.state === "unknown") return "approval.runAgain";
  return edited ? "approval.allowEdited" : "approval.allowOnce";
}

import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type PendingCall,
  REMEMBER_SCOPES,
  REMEMBER_WHATS,
  type Rehearsal,
  type Remember,
} from "@/api/approvals";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { ChoiceField } from "@/components/ui/labelled";
import { useFailure } from "@/lib/use-failure";
import { RehearsalView } from "./rehearsal";

/** Says what such a rule would be and what it would have matched. */
export type Rehearse = (call: PendingCall, remember: Remember) => Promise<Rehearsal>;

type RememberFormProps = {
  call: PendingCall;
  busy: boolean;
  onRehearse: Rehearse;
  onAllow: (remember: Remember) => void;
  onCancel: () => void;
};

/** What will be allowed from now on, said in a sentence and rehearsed before it is kept. */
export function RememberForm({ call, busy, onRehearse, onAllow, onCancel }: RememberFormProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const [remember, setRemember] = useState<Remember>({ scope: "conversation", what: "call" });
  const [shown, setShown] = useState<{ of: Remember; rehearsal?: Rehearsal; problem?: unknown } | null>(null);
  const whats = REMEMBER_WHATS.filter((what) => what !== "read_only" || call.read_only);
  const written = remember.what !== "pattern" || Boolean(remember.pattern?.trim());

  useEffect(() => {
    if (!written) return;
    let over = false;
    // A pattern is typed letter by letter; each need not be rehearsed.
    const wait = setTimeout(() => {
      onRehearse(call, remember).then(
        (rehearsal) => !over && setShown({ of: remember, rehearsal }),
        (thrown: unknown) => !over && setShown({ of: remember, problem: thrown }),
      );
    }, 250);
    return () => {
      over = true;
      clearTimeout(wait);
    };
  }, [call, remember, written, onRehearse]);

  const current = shown?.of === remember ? shown : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAllow(remember);
  };
  return (
    <form
      aria-label={t("approval.remember.label")}
      className="flex flex-col gap-3 rounded-md border bg-background p-3"
      onSubmit={submit}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <ChoiceField
          label={t("approval.remember.what")}
          value={remember.what}
          options={whats.map((what) => ({
            value: what,
            text: t(`approval.remember.whats.${what}`, { tool: call.name }),
          }))}
          onChange={(what) => {
            const pattern = what === "pattern" ? (call.suggestions?.[0]?.text ?? "") : undefined;
            setRemember({ scope: remember.scope, what, ...(pattern === undefined ? {} : { pattern }) });
          }}
        />
        <ChoiceField
          label={t("approval.remember.where")}
          value={remember.scope}
          options={REMEMBER_SCOPES.map((scope) => ({
            value: scope,
            text: t(`approval.remember.scopes.${scope}`),
          }))}
          onChange={(scope) => setRemember({ ...remember, scope })}
        />
      </div>
      {remember.what === "pattern" ? (
        <Field label={t("approval.remember.pattern")} hint={t("approval.remember.patternHint")}>
          {(control) => (
            <>
              <Input
                {...control}
                list={`${control.id}-suggestions`}
                spellCheck={false}
                className="font-mono text-xs"
                value={remember.pattern ?? ""}
                onChange={(event) => setRemember({ ...remember, pattern: event.target.value })}
              />
              <datalist id={`${control.id}-suggestions`}>
                {call.suggestions?.map(({ text }) => (
                  <option key={text} value={text} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      ) : null}
      <div role="status" className="min-h-9">
        {current?.rehearsal ? <RehearsalView rehearsal={current.rehearsal} /> : null}
        {current?.problem ? <p className="text-danger">{failure.words(current.problem)}</p> : null}
      </div>
      <footer className="flex justify-end gap-2">
        <Button size="sm" disabled={busy} onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button
          type="submit"
          size="sm"
          variant="primary"
          // Nothing is remembered whose sentence has not been shown.
          disabled={busy || !current?.rehearsal}
        >
          {t("approval.remember.submit")}
        </Button>
      </footer>
    </form>
  );
}

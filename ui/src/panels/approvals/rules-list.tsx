import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Rule } from "@/api/approvals";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { QueryState } from "@/components/agent/query-state";
import { ruleSentence } from "@/components/agent/rule-sentence";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Field, Textarea } from "@/components/ui/field";
import { ChoiceField, TextField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { NewRule } from "./new-rule";
import { useRevokeRule, useRules, useTestRules } from "./queries";

/** Every rule there is: what it says, how often it was used, and the way to take it back. */
export function RulesList() {
  const { t } = useTranslation();
  const [revoked, setRevoked] = useState(false);
  const { data, error, isPending, refetch } = useRules(revoked);
  return (
    <div className="flex flex-col gap-5">
      <p className="text-muted-foreground">{t("rules.explanation")}</p>
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {data?.length === 0 ? (
        <Empty className="rounded-md border border-dashed" heading={t("rules.none")} />
      ) : null}
      <ul className="flex flex-col gap-2">
        {data?.map((rule) => (
          <RuleRow key={rule.id} rule={rule} />
        ))}
      </ul>
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          className="accent-(--accent)"
          checked={revoked}
          onChange={(event) => setRevoked(event.target.checked)}
        />
        {t("rules.showRevoked")}
      </label>
      <NewRule />
      <TestRules />
    </div>
  );
}

const TONES: Record<Rule["effect"], string> = {
  allow: "border-success text-success",
  ask: "border-waiting text-waiting-foreground",
  deny: "border-danger text-danger",
};

function RuleRow({ rule }: { rule: Rule }) {
  const { t } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const revoke = useRevokeRule();
  // What is not understood has no parts one could say.
  const said = rule.problem ? rule.sentence : ruleSentence(rule, t);
  return (
    <li
      aria-label={said}
      className={cn("flex flex-col gap-1 rounded-md border bg-card p-3", rule.revoked_at && "opacity-70")}
    >
      <div className="flex items-start gap-2">
        <span className={cn("rounded-sm border px-1.5 text-xs font-semibold", TONES[rule.effect])}>
          {t(`rules.effects.${rule.effect}`)}
        </span>
        <p className={cn("min-w-0 flex-1", rule.revoked_at && "line-through")}>{said}</p>
        {rule.revoked_at ? null : (
          <Button size="sm" disabled={revoke.isPending} onClick={() => revoke.mutate(rule.id)}>
            {t("rules.revoke")}
          </Button>
        )}
      </div>
      <p className="font-mono text-xs break-all text-muted-foreground select-all">{rule.text}</p>
      <p className="text-xs text-muted-foreground">
        {t("rules.uses", { count: rule.uses })}
        {rule.last_used_at ? (
          <>
            , {t("rules.last")} <When date={rule.last_used_at} />
          </>
        ) : null}
        {" · "}
        {t("rules.made")} <When date={rule.created_at} />
        {rule.revoked_at ? (
          <>
            {" · "}
            {t("rules.revokedAt")} <When date={rule.revoked_at} />
          </>
        ) : null}
        {rule.note ? ` · ${rule.note}` : ""}
      </p>
      {rule.problem ? <p className="text-danger">{say(rule.problem)}</p> : null}
      {revoke.error ? <Problem {...failure.of(revoke.error)} /> : null}
    </li>
  );
}

/** What the rules say about a call one makes up. */
function TestRules() {
  const { t } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const { data: agents } = useQuery(agentsQuery(useApi()));
  const test = useTestRules();
  const [call, setCall] = useState({ tool: "", arguments: "{}", agent_id: "" });
  const set = (change: Partial<typeof call>) => {
    test.reset();
    setCall((before) => ({ ...before, ...change }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { agent_id, ...rest } = call;
    test.mutate({ ...rest, ...(agent_id ? { agent_id } : {}) });
  };
  return (
    <form
      aria-labelledby="test-rules"
      className="flex flex-col gap-3 rounded-md border p-4"
      onSubmit={submit}
    >
      <h2 id="test-rules" className="font-semibold">
        {t("rules.test")}
      </h2>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label={t("rules.tool")}
          code
          required
          value={call.tool}
          onChange={(tool) => set({ tool })}
        />
        <ChoiceField
          label={t("rules.agent")}
          value={call.agent_id}
          options={[
            { value: "", text: t("rules.anyAgent") },
            ...(agents ?? []).map(({ id, name }) => ({ value: id, text: name })),
          ]}
          onChange={(agent_id) => set({ agent_id })}
        />
      </div>
      <Field label={t("rules.arguments")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            spellCheck={false}
            className="font-mono text-xs"
            value={call.arguments}
            onChange={(event) => set({ arguments: event.target.value })}
          />
        )}
      </Field>
      <div className="flex items-center gap-3">
        <Button type="submit" disabled={test.isPending || !call.tool.trim()}>
          {t("rules.testSubmit")}
        </Button>
        <p role="status" className="min-w-0">
          {test.data ? (
            <>
              <strong>{t(`rules.effects.${test.data.effect}`)}</strong>{" "}
              <span className="text-muted-foreground">{say(test.data.because)}</span>
            </>
          ) : null}
        </p>
      </div>
      {test.error ? <Problem {...failure.of(test.error)} /> : null}
    </form>
  );
}

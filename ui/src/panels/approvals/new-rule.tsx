import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import type { RuleEffect } from "@/api/approvals";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { RehearsalView } from "@/components/agent/rehearsal";
import { Button } from "@/components/ui/button";
import { ChoiceField, TextField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useAddRule, useRehearsal } from "./queries";

const EFFECTS = ["allow", "ask", "deny"] as const;

/** A rule in the parts one chooses. `agent`: an id, empty for all of them. */
type Parts = { effect: RuleEffect; tool: string; pattern: string; agent: string };

const NO_PARTS: Parts = { effect: "allow", tool: "", pattern: "", agent: "" };

/** The parts as the line of text a rule is; empty until a tool is named. */
export function ruleText({ effect, tool, pattern, agent }: Parts): string {
  if (tool.trim() === "") return "";
  // In quotes a pattern is never read as something else.
  const about = pattern.trim() === "" ? "" : `(${JSON.stringify(pattern.trim())})`;
  return `${effect} ${tool.trim()}${about} ${agent === "" ? "everywhere" : `for agent ${agent}`}`;
}

/** A rule is a line of text that a form writes; what it means and would have matched is said before it is kept. */
export function NewRule() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data: agents } = useQuery(agentsQuery(useApi()));
  const add = useAddRule();
  const [parts, setParts] = useState(NO_PARTS);
  const [text, setText] = useState("");
  const [note, setNote] = useState("");
  const settled = useDeferredValue(text.trim());
  const rehearsal = useRehearsal(settled);
  const current = settled === text.trim() && text.trim() !== "" ? rehearsal : null;
  const set = (change: Partial<Parts>) => {
    const next = { ...parts, ...change };
    setParts(next);
    setText(ruleText(next));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(
      { text: text.trim(), ...(note.trim() ? { note: note.trim() } : {}) },
      {
        onSuccess: () => {
          setParts(NO_PARTS);
          setText("");
          setNote("");
        },
      },
    );
  };
  return (
    <form aria-labelledby="new-rule" className="flex flex-col gap-3 rounded-md border p-4" onSubmit={submit}>
      <h2 id="new-rule" className="font-semibold">
        {t("rules.add")}
      </h2>
      <div className="grid gap-3 sm:grid-cols-2">
        <ChoiceField
          label={t("rules.effect")}
          value={parts.effect}
          options={EFFECTS.map((effect) => ({ value: effect, text: t(`rules.effects.${effect}`) }))}
          onChange={(effect) => set({ effect })}
        />
        <ChoiceField
          label={t("approval.remember.where")}
          value={parts.agent}
          options={[
            { value: "", text: t("approval.remember.scopes.everywhere") },
            ...(agents ?? []).map(({ id, name }) => ({
              value: id,
              text: t("rules.forAgent", { agent: name }),
            })),
          ]}
          onChange={(agent) => set({ agent })}
        />
        <TextField
          label={t("rules.aboutTool")}
          hint={t("rules.aboutToolHint")}
          code
          value={parts.tool}
          onChange={(tool) => set({ tool })}
        />
        <TextField
          label={t("approval.remember.pattern")}
          hint={t("rules.patternHint")}
          code
          value={parts.pattern}
          onChange={(pattern) => set({ pattern })}
        />
      </div>
      <TextField
        label={t("rules.text")}
        hint={t("rules.textHint")}
        problem={current?.error ? failure.words(current.error) : undefined}
        code
        placeholder="allow run_command(git status*) everywhere"
        value={text}
        onChange={setText}
      />
      <TextField label={t("rules.note")} hint={t("rules.noteHint")} value={note} onChange={setNote} />
      {current?.data ? <RehearsalView rehearsal={current.data} /> : null}
      {add.error ? <Problem {...failure.of(add.error)} /> : null}
      <Button
        type="submit"
        variant="primary"
        className="self-start"
        disabled={add.isPending || !current?.data}
      >
        {t("rules.addSubmit")}
      </Button>
    </form>
  );
}

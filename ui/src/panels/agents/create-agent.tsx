import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent, Model } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { handleOf, isRehearsal } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";
import { type NewAgent, useCreateAgent, useModels } from "./queries";

type CreateAgentProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onCreated: (agent: Agent) => void;
  onOpenModels: () => void;
};

export function CreateAgent({ open, onOpenChange, ...rest }: CreateAgentProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("agents.createHeading")} explanation={t("agents.createExplanation")}>
        <CreateForm onDone={() => onOpenChange(false)} {...rest} />
      </DialogContent>
    </Dialog>
  );
}

type CreateFormProps = Pick<CreateAgentProps, "onCreated" | "onOpenModels"> & { onDone: () => void };

function CreateForm({ onDone, onCreated, onOpenModels }: CreateFormProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const models = useModels();
  const create = useCreateAgent();
  const [form, setForm] = useState<NewAgent>({
    name: "",
    model: "",
    persona: t("agents.personaDefault"),
    human: "",
  });
  const set = (change: Partial<NewAgent>) => setForm((before) => ({ ...before, ...change }));
  const model = form.model || firstChoice(models.data ?? []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { ...form, name: form.name.trim(), model },
      {
        onSuccess: (agent) => {
          onDone();
          onCreated(agent);
        },
      },
    );
  };

  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <Field label={t("agents.name")} hint={t("agents.nameHint")}>
        {(control) => (
          <Input
            {...control}
            required
            maxLength={100}
            value={form.name}
            onChange={(event) => set({ name: event.target.value })}
          />
        )}
      </Field>
      {models.error ? <Problem {...failure.of(models.error)} /> : null}
      {models.data?.length === 0 ? (
        <div className="flex items-center justify-between gap-3 rounded-md border border-waiting bg-waiting-soft p-3">
          <p>{t("agents.noModels")}</p>
          <Button onClick={onOpenModels}>{t("agents.openModels")}</Button>
        </div>
      ) : (
        <Field label={t("agents.model")} hint={isRehearsal(model) ? t("models.rehearsalHint") : undefined}>
          {(control) => (
            <Select
              {...control}
              required
              disabled={models.isPending}
              value={model}
              onChange={(event) => set({ model: event.target.value })}
            >
              {groups(models.data ?? []).map(([provider, members]) => (
                <optgroup key={provider} label={provider}>
                  {members.map((member) => (
                    <option key={handleOf(member)} value={handleOf(member)}>
                      {handleOf(member)}
                      {isRehearsal(handleOf(member)) ? ` (${t("models.noAi")})` : ""}
                    </option>
                  ))}
                </optgroup>
              ))}
            </Select>
          )}
        </Field>
      )}
      <Field label={t("agents.persona")} hint={t("agents.personaHint")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            value={form.persona}
            onChange={(event) => set({ persona: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("agents.human")} hint={t("agents.humanHint")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            value={form.human}
            onChange={(event) => set({ human: event.target.value })}
          />
        )}
      </Field>
      {create.error ? <Problem {...failure.of(create.error)} /> : null}
      <footer className="flex justify-end gap-2">
        <Button onClick={onDone}>{t("common.cancel")}</Button>
        <Button type="submit" variant="primary" disabled={create.isPending || !form.name.trim() || !model}>
          {create.isPending ? <Spinner className="text-current" /> : null}
          {t("agents.createSubmit")}
        </Button>
      </footer>
    </form>
  );
}

/** A real model before the stand-in, which is never chosen silently where there is another. */
function firstChoice(models: readonly Model[]): string {
  const handles = models.map(handleOf);
  return handles.find((handle) => !isRehearsal(handle)) ?? handles[0] ?? "";
}

function groups(models: readonly Model[]): Array<[provider: string, models: Model[]]> {
  const byProvider = new Map<string, Model[]>();
  for (const model of models) {
    const provider = handleOf(model).split("/")[0] ?? "";
    byProvider.set(provider, [...(byProvider.get(provider) ?? []), model]);
  }
  return [...byProvider];
}

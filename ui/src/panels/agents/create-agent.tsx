import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { ModelPicker } from "@/components/agent/model-picker";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Field, Textarea } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { firstChoice, isRehearsal } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";
import { ModelFitness } from "./model-fitness";
import { NameField } from "./name-field";
import { type NewAgent, useCreateAgent, useModels, useOwnTools } from "./queries";
import { TEMPLATES } from "./templates";

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
  const tools = useOwnTools();
  const create = useCreateAgent();
  const [template, setTemplate] = useState<string>("companion");
  const [form, setForm] = useState<NewAgent>({
    name: "",
    model: "",
    persona: t("templates.persona.companion"),
    human: "",
    blocks: [],
    tools: [],
  });
  const set = (change: Partial<NewAgent>) => setForm((before) => ({ ...before, ...change }));
  const model = form.model || firstChoice(models.data ?? []);

  const choose = (name: string) => {
    setTemplate(name);
    const chosen = TEMPLATES.find((one) => one.name === name);
    set({
      persona: t(`templates.persona.${name}`),
      blocks: (chosen?.blocks ?? []).map((label) => ({
        label,
        description: t(`templates.blocks.${label}`),
      })),
    });
  };
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
      <NameField value={form.name} onChange={(name) => set({ name })} />
      {models.error ? <Problem {...failure.of(models.error)} /> : null}
      {models.data?.length === 0 ? (
        <div className="flex items-center justify-between gap-3 rounded-md border border-waiting bg-waiting-soft p-3">
          <p>{t("agents.noModels")}</p>
          <Button onClick={onOpenModels}>{t("agents.openModels")}</Button>
        </div>
      ) : (
        <Field label={t("agents.model")} hint={isRehearsal(model) ? t("models.rehearsalHint") : undefined}>
          {(control) => (
            <ModelPicker
              {...control}
              disabled={models.isPending}
              models={models.data ?? []}
              value={model}
              onChange={(handle) => set({ model: handle })}
            />
          )}
        </Field>
      )}
      <ModelFitness model={model} />
      <fieldset className="flex flex-col gap-1.5">
        <legend className="mb-1 font-medium">{t("templates.heading")}</legend>
        <div className="grid grid-cols-2 gap-1.5">
          {TEMPLATES.map(({ name }) => (
            <label
              key={name}
              className={cn(
                "flex cursor-pointer flex-col rounded-md border px-2.5 py-1.5 has-focus-visible:outline-2 has-focus-visible:outline-accent",
                name === template ? "border-accent bg-accent-soft" : "hover:bg-muted",
              )}
            >
              <input
                type="radio"
                name="template"
                className="sr-only"
                checked={name === template}
                onChange={() => choose(name)}
              />
              <span className="font-medium">{t(`templates.title.${name}`)}</span>
              <span className="text-xs text-muted-foreground">{t(`templates.purpose.${name}`)}</span>
            </label>
          ))}
        </div>
      </fieldset>
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
      {tools.data && tools.data.length > 0 ? (
        <fieldset className="flex flex-col gap-1">
          <legend className="mb-1 font-medium">{t("agents.tools")}</legend>
          <div className="flex max-h-32 flex-col gap-1 overflow-y-auto rounded-md border p-2">
            {tools.data.map(({ id, name, description }) => (
              <label key={id} className="flex items-baseline gap-2">
                <input
                  type="checkbox"
                  className="accent-accent"
                  checked={form.tools.includes(id)}
                  onChange={(event) =>
                    set({
                      tools: event.target.checked
                        ? [...form.tools, id]
                        : form.tools.filter((one) => one !== id),
                    })
                  }
                />
                <span className="font-mono text-xs">{name}</span>
                <span className="min-w-0 truncate text-xs text-muted-foreground">{description}</span>
              </label>
            ))}
          </div>
          <p className="text-xs text-muted-foreground">{t("agents.toolsHint")}</p>
        </fieldset>
      ) : null}
      {create.error ? <Problem {...failure.of(create.error)} /> : null}
      <footer className="sticky -bottom-5 -mx-5 -mb-5 flex justify-end gap-2 border-t bg-background px-5 pt-4 pb-5">
        <Button onClick={onDone}>{t("common.cancel")}</Button>
        <Button type="submit" variant="primary" disabled={create.isPending || !form.name.trim() || !model}>
          {create.isPending ? <Spinner className="text-current" /> : null}
          {t("agents.createSubmit")}
        </Button>
      </footer>
    </form>
  );
}

import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Block } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Field, Input, Textarea } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { LABEL } from "./label";
import { useEditBlock } from "./queries";

type BlockSettingsProps = {
  agentId: string;
  block: Block;
  open: boolean;
  onOpenChange: (open: boolean) => void;
};

/** Everything about a block but its value. */
export function BlockSettings({ agentId, block, open, onOpenChange }: BlockSettingsProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("block.settingsHeading", { label: block.label ?? "" })}>
        <SettingsForm agentId={agentId} block={block} onDone={() => onOpenChange(false)} />
      </DialogContent>
    </Dialog>
  );
}

type FormProps = { agentId: string; block: Block; onDone: () => void };

function SettingsForm({ agentId, block, onDone }: FormProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const edit = useEditBlock(agentId);
  const [form, setForm] = useState({
    label: block.label ?? "",
    description: block.description ?? "",
    limit: block.limit ?? 5000,
    read_only: block.read_only ?? false,
  });
  const set = (change: Partial<typeof form>) => setForm((before) => ({ ...before, ...change }));
  const badLabel = !LABEL.test(form.label);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate({ id: block.id ?? "", edit: form }, { onSuccess: onDone });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <Field
        label={t("block.label")}
        hint={t("block.labelHint")}
        problem={badLabel ? t("block.labelBad") : undefined}
      >
        {(control) => (
          <Input
            {...control}
            required
            maxLength={50}
            value={form.label}
            onChange={(event) => set({ label: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("block.description")} hint={t("block.descriptionHint")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            value={form.description}
            onChange={(event) => set({ description: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("block.limit")} hint={t("block.limitHint")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={1}
            step={1}
            required
            value={Number.isNaN(form.limit) ? "" : form.limit}
            onChange={(event) => set({ limit: event.target.valueAsNumber })}
          />
        )}
      </Field>
      <label className="flex items-start gap-2">
        <input
          type="checkbox"
          className="mt-0.5 accent-(--accent)"
          checked={form.read_only}
          onChange={(event) => set({ read_only: event.target.checked })}
        />
        <span>
          <span className="font-medium">{t("block.readOnlyLabel")}</span>{" "}
          <span className="text-xs text-muted-foreground">{t("block.readOnlyHint")}</span>
        </span>
      </label>
      {edit.error ? <Problem {...failure.of(edit.error)} /> : null}
      <footer className="flex justify-end gap-2">
        <Button onClick={onDone}>{t("common.cancel")}</Button>
        <Button type="submit" variant="primary" disabled={edit.isPending || badLabel || !(form.limit >= 1)}>
          {t("block.settingsSubmit")}
        </Button>
      </footer>
    </form>
  );
}

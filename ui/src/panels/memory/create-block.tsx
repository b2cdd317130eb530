import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { BlockFields, blockFieldsFit } from "@/components/agent/block-fields";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Field, Textarea } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { lengthOf } from "@/lib/length";
import { useFailure } from "@/lib/use-failure";
import { type NewBlock, useCreateBlock } from "./queries";

type CreateBlockProps = { agentId: string; open: boolean; onOpenChange: (open: boolean) => void };

export function CreateBlock({ agentId, open, onOpenChange }: CreateBlockProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("block.createHeading")} explanation={t("block.createExplanation")}>
        <CreateForm agentId={agentId} onDone={() => onOpenChange(false)} />
      </DialogContent>
    </Dialog>
  );
}

const START: NewBlock = { label: "", description: "", value: "", limit: 5000 };

function CreateForm({ agentId, onDone }: { agentId: string; onDone: () => void }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const create = useCreateBlock(agentId);
  const [form, setForm] = useState(START);
  const set = (change: Partial<NewBlock>) => setForm((before) => ({ ...before, ...change }));
  const tooLong = lengthOf(form.value) > form.limit;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(form, { onSuccess: onDone });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <BlockFields values={form} onChange={set}>
        <Field label={t("block.value")} problem={tooLong ? t("block.tooLong") : undefined}>
          {(control) => (
            <Textarea
              {...control}
              rows={4}
              value={form.value}
              onChange={(event) => set({ value: event.target.value })}
            />
          )}
        </Field>
      </BlockFields>
      {create.error ? <Problem {...failure.of(create.error)} /> : null}
      <footer className="flex justify-end gap-2">
        <Button onClick={onDone}>{t("common.cancel")}</Button>
        <Button
          type="submit"
          variant="primary"
          disabled={create.isPending || tooLong || !blockFieldsFit(form)}
        >
          {t("block.createSubmit")}
        </Button>
      </footer>
    </form>
  );
}

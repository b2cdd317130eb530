import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Block } from "@/api/types";
import { BlockFields, blockFieldsFit } from "@/components/agent/block-fields";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate({ id: block.id ?? "", edit: form }, { onSuccess: onDone });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <BlockFields values={form} onChange={set} />
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
        <Button type="submit" variant="primary" disabled={edit.isPending || !blockFieldsFit(form)}>
          {t("block.settingsSubmit")}
        </Button>
      </footer>
    </form>
  );
}

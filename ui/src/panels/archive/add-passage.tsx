import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Field, Input, Textarea } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { tagsFrom } from "@/lib/tags";
import { useFailure } from "@/lib/use-failure";
import { useAddPassage } from "./queries";

type AddPassageProps = { agentId: string; open: boolean; onOpenChange: (open: boolean) => void };

export function AddPassage({ agentId, open, onOpenChange }: AddPassageProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("archive.addHeading")} explanation={t("archive.addExplanation")}>
        <AddForm agentId={agentId} onDone={() => onOpenChange(false)} />
      </DialogContent>
    </Dialog>
  );
}

function AddForm({ agentId, onDone }: { agentId: string; onDone: () => void }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const add = useAddPassage(agentId);
  const [text, setText] = useState("");
  const [tags, setTags] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate({ text: text.trim(), tags: tagsFrom(tags) }, { onSuccess: onDone });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <Field label={t("archive.text")}>
        {(control) => (
          <Textarea
            {...control}
            rows={6}
            required
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("archive.tags")} hint={t("archive.tagsHint")}>
        {(control) => <Input {...control} value={tags} onChange={(event) => setTags(event.target.value)} />}
      </Field>
      {add.error ? <Problem {...failure.of(add.error)} /> : null}
      <footer className="flex justify-end gap-2">
        <Button onClick={onDone}>{t("common.cancel")}</Button>
        <Button type="submit" variant="primary" disabled={add.isPending || !text.trim()}>
          {t("archive.addSubmit")}
        </Button>
      </footer>
    </form>
  );
}

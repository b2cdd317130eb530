import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { VisibleText } from "@/components/agent/visible-text";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { When } from "@/components/ui/when";
import { namedHidden } from "@/lib/visible";
import { type Entry, useDeletePassage } from "./queries";

/** One passage, whole, with its tags and when it was filed. */
export function PassageCard({ agentId, entry }: { agentId: string; entry: Entry }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <li className="flex flex-col gap-1.5 rounded-md border bg-card px-3 py-2 [content-visibility:auto]">
      <VisibleText text={entry.text} tabIndex={0} className="font-sans text-sm" />
      <footer className="flex items-center gap-2 text-xs text-muted-foreground">
        {entry.at ? <When date={entry.at} className="shrink-0" /> : null}
        <ul aria-label={t("archive.tagList")} className="flex min-w-0 flex-1 flex-wrap gap-1 empty:invisible">
          {entry.tags.map((tag) => (
            <li key={tag} className="max-w-full truncate rounded-sm bg-muted px-1.5">
              {namedHidden(tag)}
            </li>
          ))}
        </ul>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("archive.delete")}
          title={t("archive.delete")}
          onClick={() => setAsking(true)}
        >
          <Trash2 aria-hidden className="size-3.5" />
        </Button>
      </footer>
      <DeletePassage agentId={agentId} entry={entry} open={asking} onOpenChange={setAsking} />
    </li>
  );
}

type DeleteProps = { agentId: string; entry: Entry; open: boolean; onOpenChange: (open: boolean) => void };

function DeletePassage({ agentId, entry, open, onOpenChange }: DeleteProps) {
  const { t } = useTranslation();
  const remove = useDeletePassage(agentId);
  return (
    <ConfirmAction
      open={open}
      onOpenChange={onOpenChange}
      heading={t("archive.deleteHeading")}
      explanation={t("archive.deleteExplanation")}
      submit={t("archive.deleteSubmit")}
      action={remove}
      onConfirm={() => remove.mutate(entry.id, { onSuccess: () => onOpenChange(false) })}
    >
      <VisibleText text={entry.text} tabIndex={0} className="rounded-sm bg-muted px-2 py-1 font-sans" />
    </ConfirmAction>
  );
}

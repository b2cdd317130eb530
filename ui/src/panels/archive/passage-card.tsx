import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { VisibleText } from "@/components/agent/visible-text";
import { Button } from "@/components/ui/button";
import { Confirm, ConfirmCancel, ConfirmContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { When } from "@/components/ui/when";
import { useFailure } from "@/lib/use-failure";
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
  const failure = useFailure();
  const remove = useDeletePassage(agentId);
  return (
    <Confirm open={open} onOpenChange={onOpenChange}>
      <ConfirmContent heading={t("archive.deleteHeading")} explanation={t("archive.deleteExplanation")}>
        <VisibleText text={entry.text} tabIndex={0} className="rounded-sm bg-muted px-2 py-1 font-sans" />
        {remove.error ? <Problem {...failure.of(remove.error)} /> : null}
        <footer className="flex justify-end gap-2">
          <ConfirmCancel asChild>
            <Button>{t("common.cancel")}</Button>
          </ConfirmCancel>
          <Button
            variant="danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate(entry.id, { onSuccess: () => onOpenChange(false) })}
          >
            {t("archive.deleteSubmit")}
          </Button>
        </footer>
      </ConfirmContent>
    </Confirm>
  );
}

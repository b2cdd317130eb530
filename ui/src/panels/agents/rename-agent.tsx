import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { NameField } from "./name-field";
import { useUpdateAgent } from "./queries";

export function RenameAgent({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const update = useUpdateAgent(agent.id);
  const [name, setName] = useState(agent.name);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent heading={t("agents.renameHeading", { name: agent.name })}>
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            update.mutate({ name: name.trim() }, { onSuccess: onClose });
          }}
        >
          <NameField value={name} onChange={setName} />
          {update.error ? <Problem {...failure.of(update.error)} /> : null}
          <footer className="flex justify-end gap-2">
            <Button onClick={onClose}>{t("common.cancel")}</Button>
            <Button type="submit" variant="primary" disabled={update.isPending || !name.trim()}>
              {t("agents.rename")}
            </Button>
          </footer>
        </form>
      </DialogContent>
    </Dialog>
  );
}

import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { Confirm, ConfirmCancel, ConfirmContent } from "@/components/ui/dialog";
import { useDeletions } from "./deletions";

type DeleteAgentProps = {
  agent: Agent;
  onClose: () => void;
  onDeleting: (agentId: string) => void;
};

export function DeleteAgent({ agent, onClose, onDeleting }: DeleteAgentProps) {
  const { t } = useTranslation();
  const isLocal = useIsLocal();
  const begin = useDeletions((deletions) => deletions.begin);
  return (
    <Confirm open onOpenChange={(open) => !open && onClose()}>
      <ConfirmContent
        heading={t("agents.deleteHeading", { name: agent.name })}
        explanation={t(isLocal ? "agents.deleteExplanation" : "agents.deleteElsewhere")}
      >
        <footer className="flex justify-end gap-2">
          <ConfirmCancel asChild>
            <Button>{t("common.cancel")}</Button>
          </ConfirmCancel>
          <Button
            variant="danger"
            onClick={() => {
              begin({ agentId: agent.id, name: agent.name });
              onDeleting(agent.id);
              onClose();
            }}
          >
            {t("agents.deleteSubmit")}
          </Button>
        </footer>
      </ConfirmContent>
    </Confirm>
  );
}

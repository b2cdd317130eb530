import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { useIsLocal } from "@/api/use-local";
import { ConfirmAction } from "@/components/ui/confirm-action";
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
    <ConfirmAction
      open
      onOpenChange={(open) => !open && onClose()}
      heading={t("agents.deleteHeading", { name: agent.name })}
      explanation={t(isLocal ? "agents.deleteExplanation" : "agents.deleteElsewhere")}
      submit={t("agents.deleteSubmit")}
      onConfirm={() => {
        begin({ agentId: agent.id, name: agent.name });
        onDeleting(agent.id);
        onClose();
      }}
    />
  );
}

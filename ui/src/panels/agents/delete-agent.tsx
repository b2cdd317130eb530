import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Confirm, ConfirmCancel, ConfirmContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useDeleteAgent } from "./queries";

type DeleteAgentProps = {
  /** The agent in question; `null` asks nothing. */
  agent: Agent | null;
  onClose: () => void;
  onDeleted: (agentId: string) => void;
};

export function DeleteAgent({ agent, onClose, onDeleted }: DeleteAgentProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const remove = useDeleteAgent();
  const close = () => {
    remove.reset();
    onClose();
  };
  if (!agent) return null;
  return (
    <Confirm open onOpenChange={(open) => !open && close()}>
      <ConfirmContent
        heading={t("agents.deleteHeading", { name: agent.name })}
        explanation={t("agents.deleteExplanation")}
      >
        {remove.error ? <Problem {...failure.of(remove.error)} /> : null}
        <footer className="flex justify-end gap-2">
          <ConfirmCancel asChild>
            <Button>{t("common.cancel")}</Button>
          </ConfirmCancel>
          <Button
            variant="danger"
            disabled={remove.isPending}
            onClick={() =>
              remove.mutate(agent.id, {
                onSuccess: () => {
                  close();
                  onDeleted(agent.id);
                },
              })
            }
          >
            {t("agents.deleteSubmit")}
          </Button>
        </footer>
      </ConfirmContent>
    </Confirm>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { type DeletedAgent, useDeletedAgents, useForgetAgent, useRestoreAgent } from "./queries";

/** Agents of this machine that can still come back. */
export function DeletedAgents() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data: agents, error } = useDeletedAgents();
  return (
    <section aria-labelledby="deleted-agents-heading" className="flex flex-col gap-3">
      <h2 id="deleted-agents-heading" className="font-semibold">
        {t("settings.deletedAgents.heading")}
      </h2>
      <p className="text-muted-foreground">
        {t(agents?.length === 0 ? "settings.deletedAgents.none" : "settings.deletedAgents.explanation")}
      </p>
      {error ? <Problem {...failure.of(error)} /> : null}
      {agents && agents.length > 0 ? (
        <ul aria-labelledby="deleted-agents-heading" className="flex flex-col gap-2">
          {agents.map((agent) => (
            <Row key={agent.id} agent={agent} />
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function Row({ agent }: { agent: DeletedAgent }) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const restore = useRestoreAgent();
  const forget = useForgetAgent();
  const [asking, setAsking] = useState(false);
  const { name } = agent;
  const day = (at: string) => new Date(at).toLocaleDateString(i18n.language, { dateStyle: "medium" });
  return (
    <li className="flex flex-col gap-2 rounded-md border bg-card p-2.5">
      <div className="flex flex-wrap items-center gap-2">
        <div className="min-w-0 flex-1">
          <p className="truncate font-medium">{name}</p>
          <p className="text-muted-foreground text-xs">
            {t("settings.deletedAgents.times", {
              deleted: day(agent.deleted_at),
              until: day(agent.kept_until),
            })}
          </p>
        </div>
        <Button
          size="sm"
          aria-label={t("settings.deletedAgents.restoreNamed", { name })}
          disabled={restore.isPending}
          onClick={() => restore.mutate(agent.id)}
        >
          {t("settings.deletedAgents.restore")}
        </Button>
        <Button
          size="sm"
          aria-label={t("settings.deletedAgents.forgetNamed", { name })}
          disabled={restore.isPending}
          onClick={() => setAsking(true)}
        >
          {t("settings.deletedAgents.forget")}
        </Button>
      </div>
      {restore.error ? <Problem {...failure.of(restore.error)} /> : null}
      <ConfirmAction
        open={asking}
        onOpenChange={setAsking}
        heading={t("settings.deletedAgents.forgetHeading", { name })}
        explanation={t("settings.deletedAgents.forgetExplanation")}
        submit={t("settings.deletedAgents.forget")}
        action={forget}
        onConfirm={() => forget.mutate(agent.id)}
      />
    </li>
  );
}

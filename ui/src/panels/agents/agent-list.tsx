import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { isRehearsal } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";
import { CreateAgent } from "./create-agent";
import { DeleteAgent } from "./delete-agent";
import { useAgents, useWaiting } from "./queries";

type AgentListProps = {
  selected: string | null;
  onSelect: (agentId: string | null) => void;
  onOpenModels: () => void;
};

export function AgentList({ selected, onSelect, onOpenModels }: AgentListProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data: agents, error, isPending, refetch } = useAgents();
  const waiting = useWaiting();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Agent | null>(null);
  return (
    <section aria-labelledby="agents-heading" className="flex min-h-0 flex-1 flex-col">
      <header className="flex items-center justify-between py-2 pr-2 pl-3">
        <h2 id="agents-heading" className="font-semibold">
          {t("agents.heading")}
        </h2>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("agents.create")}
          title={t("agents.create")}
          onClick={() => setCreating(true)}
        >
          <Plus aria-hidden className="size-4" />
        </Button>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        {isPending ? <Spinner className="m-2" aria-label={t("common.loading")} /> : null}
        {error ? (
          <Problem {...failure.of(error)}>
            <Button size="sm" onClick={() => refetch()}>
              {t("common.tryAgain")}
            </Button>
          </Problem>
        ) : null}
        {agents?.length === 0 ? (
          <Empty heading={t("agents.none")}>
            <Button variant="primary" onClick={() => setCreating(true)}>
              {t("agents.createFirst")}
            </Button>
          </Empty>
        ) : null}
        <ul className="flex flex-col gap-0.5">
          {agents?.map((agent) => (
            <AgentRow
              key={agent.id}
              agent={agent}
              current={agent.id === selected}
              waiting={waiting[agent.id] ?? 0}
              onSelect={() => onSelect(agent.id)}
              onDelete={() => setDeleting(agent)}
            />
          ))}
        </ul>
      </div>
      <CreateAgent
        open={creating}
        onOpenChange={setCreating}
        onCreated={(agent) => onSelect(agent.id)}
        onOpenModels={() => {
          setCreating(false);
          onOpenModels();
        }}
      />
      <DeleteAgent
        agent={deleting}
        onClose={() => setDeleting(null)}
        onDeleted={(agentId) => agentId === selected && onSelect(null)}
      />
    </section>
  );
}

type AgentRowProps = {
  agent: Agent;
  current: boolean;
  waiting: number;
  onSelect: () => void;
  onDelete: () => void;
};

function AgentRow({ agent, current, waiting, onSelect, onDelete }: AgentRowProps) {
  const { t } = useTranslation();
  return (
    <li
      className={cn(
        "group relative flex items-center rounded-md",
        current ? "bg-accent-soft" : "hover:bg-muted",
      )}
    >
      <button
        type="button"
        aria-current={current ? "page" : undefined}
        className="flex min-w-0 flex-1 flex-col rounded-md px-2 py-1.5 text-left"
        onClick={onSelect}
      >
        <span className="w-full truncate pr-6 font-medium">{agent.name}</span>
        <span className="w-full truncate text-xs text-muted-foreground">
          {agent.model ?? t("agents.noModel")}
          {isRehearsal(agent.model) ? ` · ${t("models.noAi")}` : ""}
        </span>
      </button>
      {waiting > 0 ? (
        <span className="mr-2 rounded-full bg-waiting px-1.5 text-xs font-semibold text-black tabular-nums">
          <span aria-hidden>{waiting}</span>
          <span className="sr-only">{t("approval.waitingCount", { count: waiting })}</span>
        </span>
      ) : null}
      <Button
        size="icon"
        variant="quiet"
        className="mr-1 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 focus-visible:opacity-100"
        aria-label={t("agents.delete", { name: agent.name })}
        title={t("agents.delete", { name: agent.name })}
        onClick={onDelete}
      >
        <Trash2 aria-hidden className="size-3.5" />
      </Button>
    </li>
  );
}

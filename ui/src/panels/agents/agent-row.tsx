import { Copy, Ellipsis, PenLine, Settings2, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { isRehearsal } from "@/lib/model-name";
import { tellFailure } from "@/lib/told-failure";
import { useAgentDialogs } from "./dialogs";
import { useDuplicateAgent } from "./queries";

type AgentRowProps = {
  agent: Agent;
  current: boolean;
  waiting: number;
  onSelect: (agentId: string) => void;
};

export function AgentRow({ agent, current, waiting, onSelect }: AgentRowProps) {
  const { t } = useTranslation();
  const active = agent.last_run_completion ?? agent.created_at;
  return (
    <div
      className={cn(
        "group relative flex items-center rounded-md",
        current ? "bg-accent-soft" : "hover:bg-muted",
      )}
    >
      <button
        type="button"
        aria-current={current ? "page" : undefined}
        className="flex min-w-0 flex-1 flex-col rounded-md px-2 py-1.5 text-left"
        onClick={() => onSelect(agent.id)}
      >
        <span className="flex w-full items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">{agent.name}</span>
          {waiting > 0 ? (
            <span className="rounded-full bg-waiting px-1.5 text-xs font-semibold text-black tabular-nums">
              <span aria-hidden>{waiting}</span>
              <span className="sr-only">{t("approval.waitingCount", { count: waiting })}</span>
            </span>
          ) : null}
        </span>
        <span className="flex w-full items-baseline gap-2 text-xs text-muted-foreground">
          <span className="min-w-0 flex-1 truncate">
            {isRehearsal(agent.model) ? t("models.noAi") : (agent.model ?? t("agents.noModel"))}
          </span>
          {active ? (
            <When date={active} className="shrink-0 group-focus-within:invisible group-hover:invisible" />
          ) : null}
        </span>
      </button>
      <AgentMenu agent={agent} onSelect={onSelect} />
    </div>
  );
}

function AgentMenu({ agent, onSelect }: Pick<AgentRowProps, "agent" | "onSelect">) {
  const { t } = useTranslation();
  const show = useAgentDialogs((dialogs) => dialogs.show);
  const duplicate = useDuplicateAgent();
  return (
    <Menu modal={false}>
      <MenuTrigger asChild>
        <Button
          size="icon"
          variant="quiet"
          className="absolute right-1 bottom-1 size-6 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 focus-visible:opacity-100 data-[state=open]:opacity-100"
          aria-label={t("agents.more", { name: agent.name })}
          title={t("agents.more", { name: agent.name })}
        >
          <Ellipsis aria-hidden className="size-4" />
        </Button>
      </MenuTrigger>
      <MenuContent>
        <MenuItem onSelect={() => show({ kind: "settings", agentId: agent.id })}>
          <Settings2 aria-hidden className="size-3.5" />
          {t("agents.settings")}
        </MenuItem>
        <MenuItem onSelect={() => show({ kind: "rename", agentId: agent.id })}>
          <PenLine aria-hidden className="size-3.5" />
          {t("agents.rename")}
        </MenuItem>
        <MenuItem
          disabled={duplicate.isPending}
          onSelect={() =>
            duplicate.mutate(
              { agentId: agent.id, name: t("agents.copyName", { name: agent.name }) },
              { onSuccess: ({ id }) => onSelect(id), onError: tellFailure },
            )
          }
        >
          <Copy aria-hidden className="size-3.5" />
          {t("agents.duplicate")}
        </MenuItem>
        <MenuItem danger onSelect={() => show({ kind: "delete", agentId: agent.id })}>
          <Trash2 aria-hidden className="size-3.5" />
          {t("agents.deleteShort")}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

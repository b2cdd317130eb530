import { Menu, PanelRight } from "lucide-react";
import { useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Resizer } from "@/components/ui/resizer";
import { cn } from "@/lib/cn";
import { isRehearsal } from "@/lib/model-name";
import {
  ApprovalDock,
  BudgetNotice,
  ChatPanel,
  ConversationMenu,
  ConversationSwitcher,
  ModelNotice,
  useAgentDialogs,
} from "@/panels";
import { threadKey } from "@/run/thread";
import { Inspector } from "./inspector";
import { useLayout } from "./layout";
import { Part } from "./part";
import { useNarrow } from "./use-narrow";

/** Conversation and inspector of one agent. */
export function AgentPlace({ agent }: { agent: Agent }) {
  const { t } = useTranslation();
  const { conversations, selectAgent, sought, shown, setRail } = useLayout();
  const { inspector, setInspector, inspectorWidth, setInspectorWidth, drawer, setDrawer } = useLayout();
  const conversationId = conversations[agent.id] ?? null;
  const thread = useMemo(() => ({ agentId: agent.id, conversationId }), [agent.id, conversationId]);
  const show = useAgentDialogs((dialogs) => dialogs.show);
  const narrow = useNarrow(900);
  const open = narrow ? drawer : inspector;
  const setOpen = narrow ? setDrawer : setInspector;
  const composer = useRef<HTMLTextAreaElement>(null);
  return (
    <div className="relative flex h-full min-w-0">
      <main className="flex h-full min-w-0 flex-1 flex-col">
        <header className="flex h-11 shrink-0 items-center gap-2 border-b px-3">
          <Button
            size="icon"
            variant="quiet"
            className="min-[641px]:hidden"
            aria-label={t("rail.open")}
            onClick={() => setRail(true)}
          >
            <Menu aria-hidden className="size-4" />
          </Button>
          <h1 className="min-w-0 truncate font-semibold">{agent.name}</h1>
          <ConversationSwitcher
            agentId={agent.id}
            current={conversationId}
            onSelect={(id) => selectAgent(agent.id, id)}
          />
          <span className="min-w-0 flex-1 truncate text-right text-xs text-muted-foreground">
            {agent.model}
            {isRehearsal(agent.model) ? ` · ${t("models.noAi")}` : ""}
          </span>
          <ConversationMenu
            thread={thread}
            agentName={agent.name}
            onSettings={() => show({ kind: "settings", agentId: agent.id })}
          />
          <Button
            size="icon"
            variant="quiet"
            aria-pressed={open}
            aria-label={t("inspector.toggle")}
            title={t("inspector.toggle")}
            onClick={() => setOpen(!open)}
          >
            <PanelRight aria-hidden className="size-4" />
          </Button>
        </header>
        <div className="min-h-0 flex-1">
          <Part key={threadKey(thread)}>
            <ChatPanel
              thread={thread}
              sought={sought?.agentId === agent.id ? sought.messageId : null}
              onShown={shown}
              composerRef={composer}
              dock={
                <>
                  <ModelNotice
                    agent={agent}
                    onSettings={() => show({ kind: "settings", agentId: agent.id })}
                  />
                  <BudgetNotice agentId={agent.id} />
                  <ApprovalDock
                    agentId={agent.id}
                    conversationId={conversationId}
                    onLeave={() => composer.current?.focus()}
                  />
                </>
              }
              onBranched={(id) => selectAgent(agent.id, id)}
            />
          </Part>
        </div>
      </main>
      {open ? (
        <div
          style={narrow ? undefined : { width: inspectorWidth }}
          className={cn(
            "max-w-[60%] shrink-0",
            narrow
              ? "absolute top-11 right-0 bottom-0 z-20 w-[360px] max-w-[90vw] border-l shadow-xl"
              : "h-full",
          )}
        >
          <Inspector
            agentId={agent.id}
            edge={
              narrow ? null : (
                <Resizer
                  label={t("inspector.width")}
                  width={inspectorWidth}
                  least={280}
                  most={720}
                  onWidth={setInspectorWidth}
                />
              )
            }
          />
        </div>
      ) : null}
    </div>
  );
}

import { Menu, PanelRight } from "lucide-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { isRehearsal } from "@/lib/model-name";
import { ApprovalDock, ChatPanel } from "@/panels";
import { Inspector } from "./inspector";
import { useLayout } from "./layout";
import { Part } from "./part";

/** Conversation and inspector of one agent. */
export function AgentPlace({ agent }: { agent: Agent }) {
  const { t } = useTranslation();
  const { inspector, setInspector, setRail } = useLayout();
  const composer = useRef<HTMLTextAreaElement>(null);
  return (
    <div className="relative flex h-full min-w-0">
      <main className="flex h-full min-w-0 flex-1 flex-col">
        <header className="flex h-11 shrink-0 items-center gap-2 border-b px-3">
          <Button
            size="icon"
            variant="quiet"
            className="sm:hidden"
            aria-label={t("rail.open")}
            onClick={() => setRail(true)}
          >
            <Menu aria-hidden className="size-4" />
          </Button>
          <h1 className="min-w-0 truncate font-semibold">{agent.name}</h1>
          <span className="min-w-0 flex-1 truncate text-xs text-muted-foreground">
            {agent.model}
            {isRehearsal(agent.model) ? ` · ${t("models.noAi")}` : ""}
          </span>
          <Button
            size="icon"
            variant="quiet"
            aria-pressed={inspector}
            aria-label={t("inspector.toggle")}
            title={t("inspector.toggle")}
            onClick={() => setInspector(!inspector)}
          >
            <PanelRight aria-hidden className="size-4" />
          </Button>
        </header>
        <div className="min-h-0 flex-1">
          <Part>
            <ChatPanel
              agentId={agent.id}
              composerRef={composer}
              dock={<ApprovalDock agentId={agent.id} onLeave={() => composer.current?.focus()} />}
            />
          </Part>
        </div>
      </main>
      {inspector ? (
        <div
          className={cn(
            "h-full w-[360px] max-w-[90vw] shrink-0 border-l",
            "max-[900px]:absolute max-[900px]:top-11 max-[900px]:right-0 max-[900px]:z-20 max-[900px]:h-[calc(100%-2.75rem)] max-[900px]:shadow-xl",
          )}
        >
          <Inspector agentId={agent.id} />
        </div>
      ) : null}
    </div>
  );
}

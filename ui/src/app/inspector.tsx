import { CircleSlash } from "lucide-react";
import { Tabs } from "radix-ui";
import type { ComponentType, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLack } from "@/api/use-lack";
import { Empty } from "@/components/ui/empty";
import { cn } from "@/lib/cn";
import { ArchivePanel, ContextPanel, MemoryPanel, RunsPanel, ToolsPanel } from "@/panels";
import { type InspectorTab, useLayout } from "./layout";
import { Part } from "./part";

type Panel = ComponentType<{ agentId: string; conversationId: string | null }>;

const TABS: Record<InspectorTab, Panel> = {
  memory: MemoryPanel,
  archive: ArchivePanel,
  tools: ToolsPanel,
  context: ContextPanel,
  runs: RunsPanel,
};

/** What surrounds the conversation: the agent's memory and tools, what is sent, and what was done. */
export function Inspector({ agentId, edge }: { agentId: string; edge?: ReactNode }) {
  const { t } = useTranslation();
  const { tab, setTab, conversations } = useLayout();
  const lacks: Partial<Record<InspectorTab, string | null>> = {
    archive: useLack("archival"),
    context: useLack("context"),
    runs: useLack("runs"),
  };
  return (
    <aside aria-label={t("inspector.label")} className="flex h-full bg-rail">
      {edge}
      <Tabs.Root
        className="flex h-full min-w-0 flex-1 flex-col"
        value={tab}
        onValueChange={(value) => {
          if (value in TABS) setTab(value as InspectorTab);
        }}
      >
        <Tabs.List
          aria-label={t("inspector.label")}
          className="flex h-11 shrink-0 items-end overflow-x-auto overflow-y-hidden border-b px-1.5 [scrollbar-width:none]"
        >
          {(Object.keys(TABS) as InspectorTab[]).map((name) => (
            <Tabs.Trigger
              key={name}
              value={name}
              title={lacks[name] ?? undefined}
              className={cn(
                "flex items-center gap-1 border-b-2 border-transparent px-1.5 py-2 font-medium whitespace-nowrap text-muted-foreground hover:text-foreground data-[state=active]:border-accent data-[state=active]:text-foreground",
                lacks[name] && "font-normal",
              )}
            >
              {t(`inspector.${name}`)}
              {lacks[name] ? <CircleSlash aria-hidden className="size-3" /> : null}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {(Object.keys(TABS) as InspectorTab[]).map((name) => {
          const Panel = TABS[name];
          return (
            <Tabs.Content key={name} value={name} className="min-h-0 flex-1 overflow-y-auto">
              <Part>
                {lacks[name] ? (
                  <Empty heading={lacks[name]} />
                ) : (
                  <Panel agentId={agentId} conversationId={conversations[agentId] ?? null} />
                )}
              </Part>
            </Tabs.Content>
          );
        })}
      </Tabs.Root>
    </aside>
  );
}

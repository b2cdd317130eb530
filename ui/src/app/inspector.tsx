import { Tabs } from "radix-ui";
import type { ComponentType, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ContextPanel, MemoryPanel, RunsPanel, ToolsPanel } from "@/panels";
import { type InspectorTab, useLayout } from "./layout";
import { Part } from "./part";

type Panel = ComponentType<{ agentId: string; conversationId: string | null }>;

const TABS: Record<InspectorTab, Panel> = {
  memory: MemoryPanel,
  tools: ToolsPanel,
  context: ContextPanel,
  runs: RunsPanel,
};

/** What surrounds the conversation: the agent's memory and tools, what is sent, and what was done. */
export function Inspector({ agentId, edge }: { agentId: string; edge?: ReactNode }) {
  const { t } = useTranslation();
  const { tab, setTab, conversations } = useLayout();
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
          className="flex h-11 shrink-0 items-end gap-1 border-b px-2"
        >
          {(Object.keys(TABS) as InspectorTab[]).map((name) => (
            <Tabs.Trigger
              key={name}
              value={name}
              className="-mb-px border-b-2 border-transparent px-2.5 py-2 font-medium text-muted-foreground hover:text-foreground data-[state=active]:border-accent data-[state=active]:text-foreground"
            >
              {t(`inspector.${name}`)}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {(Object.keys(TABS) as InspectorTab[]).map((name) => {
          const Panel = TABS[name];
          return (
            <Tabs.Content key={name} value={name} className="min-h-0 flex-1 overflow-y-auto">
              <Part>
                <Panel agentId={agentId} conversationId={conversations[agentId] ?? null} />
              </Part>
            </Tabs.Content>
          );
        })}
      </Tabs.Root>
    </aside>
  );
}

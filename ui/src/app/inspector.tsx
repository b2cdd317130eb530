import { Tabs } from "radix-ui";
import { useTranslation } from "react-i18next";
import { MemoryPanel, ToolsPanel } from "@/panels";
import { type InspectorTab, useLayout } from "./layout";
import { Part } from "./part";

const TABS: Record<InspectorTab, typeof MemoryPanel> = { memory: MemoryPanel, tools: ToolsPanel };

/** What surrounds the conversation: the agent's memory, and its tools. */
export function Inspector({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const { tab, setTab } = useLayout();
  return (
    <aside aria-label={t("inspector.label")} className="h-full bg-rail">
      <Tabs.Root
        className="flex h-full flex-col"
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
                <Panel agentId={agentId} />
              </Part>
            </Tabs.Content>
          );
        })}
      </Tabs.Root>
    </aside>
  );
}

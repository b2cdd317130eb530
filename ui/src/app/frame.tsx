import { useQuery } from "@tanstack/react-query";
import { Menu } from "lucide-react";
import { type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { useFailure } from "@/lib/use-failure";
import {
  AgentDialogs,
  ApprovalsPage,
  ConnectionsSection,
  FirstRunPage,
  ModelsPage,
  Palette,
  SettingsPage,
  UsageSection,
  useAgentDialogs,
  WorkshopPage,
} from "@/panels";
import { AgentPlace } from "./agent-place";
import { useCommandKeys, useCommands } from "./commands";
import { ConnectionBanner } from "./connection-banner";
import { type Place, useLayout } from "./layout";
import { OutboxRunner } from "./outbox-runner";
import { useOverlays } from "./overlays";
import { Part } from "./part";
import { Rail } from "./rail";
import { Shortcuts } from "./shortcuts";
import { ToldFailure } from "./told-failure";
import { useAppearance } from "./use-appearance";
import { useConnectionChange } from "./use-connection-change";
import { useDestinations } from "./use-destinations";
import { useWorkbenchEvents } from "./use-workbench-events";

const PLACES: Record<Place, () => ReactNode> = {
  agent: () => <ChosenAgent />,
  approvals: () => <Approvals />,
  workshop: () => (
    <Page>
      <WorkshopPage />
    </Page>
  ),
  models: () => <Models />,
  settings: () => (
    <Page>
      <SettingsPage />
    </Page>
  ),
};

/** The window: rail at the left, the chosen place beside it. */
export function Frame() {
  useAppearance();
  useWorkbenchEvents();
  useDestinations();
  useConnectionChange();
  const { t } = useTranslation();
  const { place, agentId, railOpen, setRail, goTo, selectAgent, seek } = useLayout();
  const { open: overlay, show: showOverlay } = useOverlays();
  const commands = useCommands();
  useCommandKeys(commands);
  return (
    <div className="relative flex h-full">
      <OutboxRunner />
      <div
        className={cn(
          "h-full w-60 shrink-0 border-r max-[641px]:absolute max-[641px]:z-30 max-[641px]:shadow-xl",
          !railOpen && "max-[641px]:hidden",
        )}
      >
        <Rail />
      </div>
      {railOpen ? (
        <button
          type="button"
          aria-label={t("rail.close")}
          className="absolute inset-0 z-20 bg-black/40 min-[641px]:hidden"
          onClick={() => setRail(false)}
        />
      ) : null}
      <div className="flex h-full min-w-0 flex-1 flex-col">
        <ConnectionBanner />
        <ToldFailure />
        <div className="min-h-0 flex-1">
          <Part key={place}>
            <Suspense fallback={<Spinner className="m-6" aria-label={t("common.loading")} />}>
              {PLACES[place]()}
            </Suspense>
          </Part>
        </div>
      </div>
      <Palette
        open={overlay === "palette"}
        onOpenChange={(open) => showOverlay(open ? "palette" : null)}
        // It need not offer to open itself.
        commands={commands.filter(({ id, when }) => id !== "palette" && (when?.() ?? true))}
        onOpen={(id, conversationId, messageId) =>
          messageId ? seek(id, conversationId ?? null, messageId) : selectAgent(id, conversationId)
        }
      />
      <Shortcuts
        open={overlay === "shortcuts"}
        onOpenChange={(open) => showOverlay(open ? "shortcuts" : null)}
        commands={commands}
      />
      <AgentDialogs
        onCreated={selectAgent}
        onDeleting={(id) => id === agentId && selectAgent(null)}
        onOpenModels={() => goTo("models")}
      />
    </div>
  );
}

function Models() {
  const { t } = useTranslation();
  return (
    <Page>
      <ModelsPage
        more={[
          { name: "connections", label: t("connections.tab"), content: <ConnectionsSection /> },
          { name: "usage", label: t("usage.tab"), content: <UsageSection /> },
        ]}
      />
    </Page>
  );
}

function Approvals() {
  const selectAgent = useLayout((layout) => layout.selectAgent);
  return (
    <Page>
      <ApprovalsPage onOpen={selectAgent} />
    </Page>
  );
}

function Page({ children }: { children: ReactNode }) {
  return (
    <main className="flex h-full flex-col overflow-y-auto">
      <OpenRail />
      {children}
    </main>
  );
}

/** The way to the rail where it is a drawer. */
function OpenRail() {
  const { t } = useTranslation();
  const setRail = useLayout((layout) => layout.setRail);
  return (
    <Button
      size="icon"
      variant="quiet"
      className="m-2 self-start min-[641px]:hidden"
      aria-label={t("rail.open")}
      onClick={() => setRail(true)}
    >
      <Menu aria-hidden className="size-4" />
    </Button>
  );
}

function ChosenAgent() {
  const { t } = useTranslation();
  const failure = useFailure();
  const isLocal = useIsLocal();
  const show = useAgentDialogs((dialogs) => dialogs.show);
  const { data: agents, error, isPending, refetch } = useQuery(agentsQuery(useApi()));
  const { agentId, selectAgent, goTo } = useLayout();
  const agent = agents?.find(({ id }) => id === agentId);
  if (agent) return <AgentPlace key={agent.id} agent={agent} />;
  return (
    <Page>
      {agents?.length === 0 && isLocal ? (
        <FirstRunPage onCreated={selectAgent} onOpenModels={() => goTo("models")} />
      ) : (
        <div className="m-auto flex w-full max-w-[620px] flex-col p-4">
          <h1 className="sr-only">Loci</h1>
          {isPending ? <Spinner className="m-auto size-5" aria-label={t("common.loading")} /> : null}
          {agents?.length === 0 ? (
            <Empty heading={t("agents.noneThere")}>
              <Button variant="primary" onClick={() => show({ kind: "create" })}>
                {t("agents.createFirst")}
              </Button>
            </Empty>
          ) : null}
          {agents && agents.length > 0 ? <Empty heading={t("agents.choose")} /> : null}
          {error && !agents ? (
            <Problem {...failure.of(error)}>
              <Button size="sm" onClick={() => refetch()}>
                {t("common.tryAgain")}
              </Button>
            </Problem>
          ) : null}
        </div>
      )}
    </Page>
  );
}

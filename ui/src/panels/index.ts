// The panels, for the window frame. Panels do not know each other.
import { lazy } from "react";

export { AgentList } from "./agents/agent-list";
export { AgentDialogs, useAgentDialogs } from "./agents/dialogs";
export { ApprovalDock } from "./approvals/approval-dock";
export { ArchivePanel } from "./archive/archive-panel";
export { ChatPanel } from "./chat/chat-panel";
export { ConversationMenu } from "./chat/conversation-menu";
export { ConnectionSwitcher } from "./connections/connection-switcher";
export { useRetryConnection, useSelectConnection } from "./connections/queries";
export { ContextPanel } from "./context/context-panel";
export { ConversationSwitcher } from "./conversations/conversation-switcher";
export { useCreateConversation } from "./conversations/queries";
export { FirstRunPage } from "./first-run/first-run-page";
export { MemoryPanel } from "./memory/memory-panel";
export { ModelNotice } from "./models/model-notice";
export { RunsPanel } from "./runs/runs-panel";
export { Palette, type PaletteCommand } from "./search/palette";
export { ToolsPanel } from "./tools/tools-panel";
export { BudgetNotice } from "./usage/budget-notice";

// Places one goes to now and then are fetched when one does: the window opens with the conversation.
export const ApprovalsPage = lazy(() =>
  import("./approvals/approvals-page").then((file) => ({ default: file.ApprovalsPage })),
);
export const ConnectionsSection = lazy(() =>
  import("./connections/connections-section").then((file) => ({ default: file.ConnectionsSection })),
);
export const ModelsPage = lazy(() =>
  import("./models/models-page").then((file) => ({ default: file.ModelsPage })),
);
export const SettingsPage = lazy(() =>
  import("./settings/settings-page").then((file) => ({ default: file.SettingsPage })),
);
export const UsageSection = lazy(() =>
  import("./usage/usage-section").then((file) => ({ default: file.UsageSection })),
);
export const WorkshopPage = lazy(() =>
  import("./workshop/workshop-page").then((file) => ({ default: file.WorkshopPage })),
);

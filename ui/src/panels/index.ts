// The panels, for the window frame. Panels do not know each other.
export { AgentList } from "./agents/agent-list";
export { AgentDialogs, useAgentDialogs } from "./agents/dialogs";
export { ApprovalDock } from "./approvals/approval-dock";
export { ApprovalsPage } from "./approvals/approvals-page";
export { ChatPanel } from "./chat/chat-panel";
export { ConversationMenu } from "./chat/conversation-menu";
export { ContextPanel } from "./context/context-panel";
export { ConversationSwitcher } from "./conversations/conversation-switcher";
export { useCreateConversation } from "./conversations/queries";
export { FirstRunPage } from "./first-run/first-run-page";
export { MemoryPanel } from "./memory/memory-panel";
export { ModelsPage } from "./models/models-page";
export { RunsPanel } from "./runs/runs-panel";
export { Palette, type PaletteCommand } from "./search/palette";
export { SettingsPage } from "./settings/settings-page";
export { ToolsPanel } from "./tools/tools-panel";
export { WorkshopPage } from "./workshop/workshop-page";

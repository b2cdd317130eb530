import { AttachedTools } from "./attached-tools";
import { LocalTools } from "./local-tools";

/** What the agent can do: on this machine, and in its server. */
export function ToolsPanel({ agentId }: { agentId: string }) {
  return (
    <div className="flex flex-col gap-5 p-3">
      <AttachedTools agentId={agentId} />
      <LocalTools agentId={agentId} />
    </div>
  );
}

// What is asked or shown about an agent in a dialog, opened from the list, the header or the palette alike.
import { create } from "zustand";
import type { Agent } from "@/api/types";
import { AgentSettings } from "./agent-settings";
import { CreateAgent } from "./create-agent";
import { DeleteAgent } from "./delete-agent";
import { useAgents } from "./queries";
import { RenameAgent } from "./rename-agent";

type AgentDialog = { kind: "create" } | { kind: "rename" | "settings" | "delete"; agentId: string };

type Dialogs = { open: AgentDialog | null; show(dialog: AgentDialog): void; close(): void };

export const useAgentDialogs = create<Dialogs>()((set) => ({
  open: null,
  show: (open) => set({ open }),
  close: () => set({ open: null }),
}));

type AgentDialogsProps = {
  onCreated: (agentId: string) => void;
  onDeleting: (agentId: string) => void;
  onOpenModels: () => void;
};

/** Stands once in the window. */
export function AgentDialogs({ onCreated, onDeleting, onOpenModels }: AgentDialogsProps) {
  const { open, close } = useAgentDialogs();
  const { data: agents } = useAgents();
  const agent: Agent | undefined =
    open && open.kind !== "create" ? agents?.find(({ id }) => id === open.agentId) : undefined;
  return (
    <>
      <CreateAgent
        open={open?.kind === "create"}
        onOpenChange={(wanted) => !wanted && close()}
        onCreated={({ id }) => onCreated(id)}
        onOpenModels={() => {
          close();
          onOpenModels();
        }}
      />
      {agent && open?.kind === "rename" ? <RenameAgent agent={agent} onClose={close} /> : null}
      {agent && open?.kind === "settings" ? <AgentSettings agentId={agent.id} onClose={close} /> : null}
      {agent && open?.kind === "delete" ? (
        <DeleteAgent agent={agent} onClose={close} onDeleting={onDeleting} />
      ) : null}
    </>
  );
}

// Where the person is in the window, and how it is arranged. Remembered across restarts.
import { create } from "zustand";
import { persist } from "zustand/middleware";

/** What fills the middle. */
export type Place = "agent" | "approvals" | "workshop" | "models" | "settings";
export type InspectorTab = "memory" | "archive" | "tools" | "context" | "runs";

type Layout = {
  place: Place;
  agentId: string | null;
  /** The conversation last open, by agent; an agent without one is in its main conversation. */
  conversations: Record<string, string>;
  /** Beside the conversation, where the window is wide enough. */
  inspector: boolean;
  /** Of the inspector, in pixels. */
  inspectorWidth: number;
  /** Over the conversation, where it is not. Closed at every start. */
  drawer: boolean;
  tab: InspectorTab;
  /** A message to show, in the conversation that is open; it is shown once. */
  sought: { agentId: string; messageId: string } | null;
  /** The rail as a drawer on narrow windows. */
  railOpen: boolean;
  goTo(place: Place): void;
  /** Opens an agent: where one left it, or in this conversation (`null` is the main one). */
  selectAgent(agentId: string | null, conversationId?: string | null): void;
  /** Opens the conversation a message is in, at that message. */
  seek(agentId: string, conversationId: string | null, messageId: string): void;
  shown(): void;
  setInspector(open: boolean): void;
  setInspectorWidth(width: number): void;
  setDrawer(open: boolean): void;
  setTab(tab: InspectorTab): void;
  setRail(open: boolean): void;
};

export const useLayout = create<Layout>()(
  persist(
    (set) => ({
      place: "agent",
      agentId: null,
      conversations: {},
      inspector: true,
      inspectorWidth: 360,
      drawer: false,
      tab: "memory",
      sought: null,
      railOpen: false,
      goTo: (place) => set({ place, railOpen: false }),
      selectAgent: (agentId, conversationId) =>
        set(({ conversations }) => ({
          agentId,
          place: "agent",
          railOpen: false,
          conversations: opened(conversations, agentId, conversationId),
        })),
      seek: (agentId, conversationId, messageId) =>
        set(({ conversations }) => ({
          agentId,
          place: "agent",
          railOpen: false,
          conversations: opened(conversations, agentId, conversationId),
          sought: { agentId, messageId },
        })),
      shown: () => set({ sought: null }),
      setInspector: (inspector) => set({ inspector }),
      setInspectorWidth: (inspectorWidth) => set({ inspectorWidth }),
      setDrawer: (drawer) => set({ drawer }),
      setTab: (tab) => set({ tab }),
      setRail: (railOpen) => set({ railOpen }),
    }),
    {
      name: "loci.layout",
      partialize: ({ place, agentId, conversations, inspector, inspectorWidth, tab }) => ({
        place,
        agentId,
        conversations,
        inspector,
        inspectorWidth,
        tab,
      }),
    },
  ),
);

function opened(
  conversations: Record<string, string>,
  agentId: string | null,
  conversationId: string | null | undefined,
): Record<string, string> {
  if (agentId === null || conversationId === undefined) return conversations;
  const { [agentId]: _, ...others } = conversations;
  return conversationId === null ? others : { ...others, [agentId]: conversationId };
}

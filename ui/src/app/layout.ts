// Where the person is in the window, and how it is arranged. Remembered across restarts.
import { create } from "zustand";
import { persist } from "zustand/middleware";

/** What fills the middle. */
export type Place = "agent" | "models" | "settings";
export type InspectorTab = "memory" | "tools";

type Layout = {
  place: Place;
  agentId: string | null;
  /** Beside the conversation, where the window is wide enough. */
  inspector: boolean;
  /** Over the conversation, where it is not. Closed at every start. */
  drawer: boolean;
  tab: InspectorTab;
  /** The rail as a drawer on narrow windows. */
  railOpen: boolean;
  goTo(place: Place): void;
  selectAgent(agentId: string | null): void;
  setInspector(open: boolean): void;
  setDrawer(open: boolean): void;
  setTab(tab: InspectorTab): void;
  setRail(open: boolean): void;
};

export const useLayout = create<Layout>()(
  persist(
    (set) => ({
      place: "agent",
      agentId: null,
      inspector: true,
      drawer: false,
      tab: "memory",
      railOpen: false,
      goTo: (place) => set({ place, railOpen: false }),
      selectAgent: (agentId) => set({ agentId, place: "agent", railOpen: false }),
      setInspector: (inspector) => set({ inspector }),
      setDrawer: (drawer) => set({ drawer }),
      setTab: (tab) => set({ tab }),
      setRail: (railOpen) => set({ railOpen }),
    }),
    {
      name: "loci.layout",
      partialize: ({ place, agentId, inspector, tab }) => ({ place, agentId, inspector, tab }),
    },
  ),
);

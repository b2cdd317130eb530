import { useEffect } from "react";
import { useApi } from "@/api/context";
import { useAgentDialogs } from "@/panels";
import { useLayout } from "./layout";

/** Follows where the system leads the window: the menu, the tray, a `loci://` link. */
export function useDestinations() {
  const { transport } = useApi();
  const { goTo, selectAgent } = useLayout();
  const show = useAgentDialogs((dialogs) => dialogs.show);
  useEffect(
    () =>
      transport.onGo((destination) => {
        switch (destination.place) {
          case "agent":
            selectAgent(destination.agent_id, destination.conversation_id);
            break;
          case "new_agent":
            show({ kind: "create" });
            break;
          default:
            goTo(destination.place);
        }
      }),
    [transport, goTo, selectAgent, show],
  );
}

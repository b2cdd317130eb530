// The one hook between runs and React, and the place where sessions live while the window is open.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";
import type { Api } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { RunState } from "./reducer";
import { createRunSession, type RunSession } from "./session";

const sessions = new WeakMap<Api, Map<string, RunSession>>();

/** The run of one agent, shared by everything that shows it. */
export function useRun(agentId: string): { state: RunState; session: RunSession } {
  const api = useApi();
  const queries = useQueryClient();
  const session = useMemo(() => {
    const ofApi = sessions.get(api) ?? new Map<string, RunSession>();
    sessions.set(api, ofApi);
    const known = ofApi.get(agentId);
    if (known) return known;
    const made = createRunSession({
      api,
      agentId,
      onNotice(notice) {
        const reread = (key: readonly unknown[]) => void queries.invalidateQueries({ queryKey: key });
        switch (notice) {
          case "run_started":
            reread(keys.messages(agentId));
            reread(keys.approvals());
            break;
          case "tool_returned":
            reread(keys.blocks(agentId));
            break;
          case "run_ended":
            reread(keys.messages(agentId));
            reread(keys.blocks(agentId));
            reread(keys.approvals());
            break;
          default:
            notice satisfies never;
        }
      },
    });
    ofApi.set(agentId, made);
    return made;
  }, [api, agentId, queries]);
  return { state: useSyncExternalStore(session.subscribe, session.getState), session };
}

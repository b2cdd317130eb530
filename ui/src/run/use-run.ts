// The one hook between runs and React, and the place where sessions live while the window is open.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";
import type { Api } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { RunState } from "./reducer";
import { createRunSession, type RunSession } from "./session";
import { threadKey } from "./thread";

const sessions = new WeakMap<Api, Map<string, RunSession>>();

/** The run of one thread, shared by everything that shows it; without a conversation, of the main one. */
export function useRun(
  agentId: string,
  conversationId: string | null = null,
): { state: RunState; session: RunSession } {
  const api = useApi();
  const queries = useQueryClient();
  const session = useMemo(() => {
    const ofApi = sessions.get(api) ?? new Map<string, RunSession>();
    sessions.set(api, ofApi);
    const thread = { agentId, conversationId };
    const key = threadKey(thread);
    const known = ofApi.get(key);
    if (known) return known;
    const made = createRunSession({
      api,
      thread,
      onNotice(notice) {
        const reread = (key: readonly unknown[]) => void queries.invalidateQueries({ queryKey: key });
        switch (notice) {
          case "run_started":
            reread(keys.messages(agentId, conversationId));
            reread(keys.approvals());
            break;
          case "tool_returned":
            reread(keys.blocks(agentId));
            reread(keys.passages(agentId));
            break;
          case "run_ended":
            reread(keys.messages(agentId, conversationId));
            reread(keys.blocks(agentId));
            reread(keys.approvals());
            reread(keys.conversations(agentId));
            reread(keys.activeRuns(agentId));
            // When it was last active is in the list.
            reread(keys.agents());
            break;
          default:
            notice satisfies never;
        }
      },
    });
    ofApi.set(key, made);
    return made;
  }, [api, agentId, conversationId, queries]);
  return { state: useSyncExternalStore(session.subscribe, session.getState), session };
}

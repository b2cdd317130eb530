import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Api } from "@/api/client";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import { readFrames } from "@/run/events";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** Listens to what changes elsewhere and has it read again. A broken stream is taken up again for ever. */
export function useWorkbenchEvents(): void {
  const api = useApi();
  const queries = useQueryClient();
  useEffect(() => {
    const over = new AbortController();
    void listen(api, queries, over.signal);
    return () => over.abort();
  }, [api, queries]);
}

async function listen(api: Api, queries: QueryClient, signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE;
  let first = true;
  while (!signal.aborted) {
    try {
      const response = await api.stream("GET", "/workbench/events", undefined, signal);
      // Whatever happened while nobody listened was missed.
      if (!first) await queries.invalidateQueries();
      first = false;
      pause = FIRST_PAUSE;
      for await (const { data } of readFrames(response.body)) applyEvent(queries, data);
    } catch {
      // Not there now: the requests of the panels say so, with a way to try again.
    }
    if (signal.aborted) return;
    await new Promise((wake) => setTimeout(wake, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** What has to be read again after an event. Unknown events mean nothing to this window. */
export function applyEvent(queries: QueryClient, data: string): void {
  const event = parse(data);
  const reread = (queryKey: readonly unknown[]) => void queries.invalidateQueries({ queryKey });
  const ofAgent = (key: (agentId: string) => readonly unknown[]) =>
    reread(event?.agent_id ? key(event.agent_id) : ["agent"]);
  switch (event?.type) {
    case "agent.changed":
      reread(keys.agents());
      // Which tools of this machine are offered to whom is told as a change of the agent.
      reread(keys.ownTools());
      // With them, or with another folder, a call that waits is another one.
      reread(keys.approvals());
      ofAgent((agentId) => ["agent", agentId]);
      break;
    case "block.changed":
      ofAgent(keys.blocks);
      break;
    case "conversation.changed":
      // It names the conversation, not whose it is.
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[2] === "conversations" });
      break;
    case "tool.changed":
      reread(["agent"]);
      reread(keys.allTools());
      // A call that waits may have become another one.
      reread(keys.approvals());
      break;
    case "run.changed":
      ofAgent(keys.activeRuns);
      ofAgent(keys.messages);
      ofAgent(keys.passages);
      reread(keys.budgets());
      break;
    case "approval.waiting":
    case "approval.resolved":
      reread(keys.approvals());
      ofAgent(keys.messages);
      break;
    case "rule.changed":
      reread(keys.rules());
      reread(keys.approvals());
      break;
    case "client_tool.changed":
      reread(["agent"]);
      reread(keys.ownTools());
      reread(keys.approvals());
      break;
    case "client_call.changed":
      reread(keys.clientCalls());
      break;
    case "provider.changed":
      reread(keys.providers());
      reread(keys.models());
      break;
    case "settings.changed":
      reread(keys.settings());
      reread(keys.budgets());
      break;
    case "connection.changed":
      reread(keys.connections());
      reread(keys.status());
      break;
    case "all.changed":
      void queries.invalidateQueries();
      break;
    default:
      break;
  }
}

function parse(data: string): { type?: string; agent_id?: string | null } | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

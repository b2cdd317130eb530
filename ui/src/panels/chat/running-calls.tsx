// Calls of this conversation that run on this machine now: what they say while they run, and stopping them.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Api } from "@/api/client";
import { useApi } from "@/api/context";
import { toApiError } from "@/api/error";
import { keys } from "@/api/queries";
import type { RunningCall } from "@/api/workbench";
import { type LiveCalls, LiveOutput } from "@/components/agent/live-output";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { readFrames } from "@/run/events";
import type { Thread } from "@/run/thread";

/** Milliseconds a call runs before it is worth a place of its own. */
const SHORT = 400;
/** Characters of output that are shown, the newest. */
const MOST = 20_000;
/** Milliseconds before a broken stream is taken up again. */
const PAUSE = 1000;
/** Milliseconds between looks while something runs, for the moments the event stream is down. */
const LOOK = 5000;

const NONE: RunningCall[] = [];

/** The calls of this conversation that run now. */
export function useRunningCalls({ agentId, conversationId }: Thread) {
  const api = useApi();
  const { data = NONE } = useQuery({
    queryKey: keys.clientCalls(),
    queryFn: () => api.json<RunningCall[]>("GET", "/workbench/client-calls"),
    refetchInterval: ({ state }) => (state.data?.length ? LOOK : false),
  });
  return useMemo(() => {
    const own = data.filter((call) => call.agent_id === agentId && call.conversation_id === conversationId);
    return new Map(own.map((call) => [call.tool_call_id, call]));
  }, [data, agentId, conversationId]);
}

/** Draws a running call for the conversation. */
export function useLiveCalls(calls: ReadonlyMap<string, RunningCall>): LiveCalls {
  return useCallback(
    (toolCallId) => {
      const call = calls.get(toolCallId);
      return call ? <RunningOutput key={`${call.message_id}/${toolCallId}`} call={call} /> : null;
    },
    [calls],
  );
}

const at = (toolCallId: string, what: string) =>
  `/workbench/client-calls/${encodeURIComponent(toolCallId)}/${what}`;

function RunningOutput({ call }: { call: RunningCall }) {
  const api = useApi();
  const queries = useQueryClient();
  const failure = useFailure();
  const lasts = useLasts();
  const output = useOutput(call.tool_call_id);
  const stop = useMutation({
    mutationFn: async () => {
      try {
        await api.json("POST", at(call.tool_call_id, "stop"));
      } catch (thrown) {
        // It has ended by itself meanwhile, which is what was wanted.
        if (toApiError(thrown).status !== 404) throw thrown;
      }
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.clientCalls() }),
  });
  if (!lasts) return null;
  return (
    <LiveOutput
      tool={call.tool}
      text={output.text}
      cut={output.cut}
      stopping={stop.isPending || stop.isSuccess}
      onStop={() => stop.mutate()}
    >
      {stop.error ? <Problem {...failure.of(stop.error)} /> : null}
    </LiveOutput>
  );
}

/** Whether it has been here long enough to be shown: most calls end before one could read anything. */
function useLasts(): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLasts(true), SHORT);
    return () => clearTimeout(timer);
  }, []);
  return lasts;
}

type Output = { text: string; cut: boolean };
const SILENT: Output = { text: "", cut: false };

/** What the call has said, as it says it. */
function useOutput(toolCallId: string): Output {
  const api = useApi();
  const queries = useQueryClient();
  const [output, setOutput] = useState(SILENT);
  useEffect(() => {
    const over = new AbortController();
    const follow = async () => {
      while (!over.signal.aborted) {
        await listen(api, toolCallId, over.signal, setOutput).catch(() => {
          // Ended, or out of reach: the list of running calls says which.
        });
        if (over.signal.aborted) return;
        await queries.invalidateQueries({ queryKey: keys.clientCalls() });
        await new Promise((wake) => setTimeout(wake, PAUSE));
      }
    };
    void follow();
    return () => over.abort();
  }, [api, queries, toolCallId]);
  return output;
}

async function listen(
  api: Api,
  toolCallId: string,
  signal: AbortSignal,
  say: (change: (before: Output) => Output) => void,
): Promise<void> {
  const response = await api.stream("GET", at(toolCallId, "output"), undefined, signal);
  // It is told from its beginning each time.
  let first = true;
  for await (const { data } of readFrames(response.body)) {
    if (signal.aborted) return;
    const piece = textOf(data);
    if (piece === "") continue;
    const begins = first;
    first = false;
    say((before) => added(begins ? SILENT : before, piece));
  }
}

function added({ text, cut }: Output, piece: string): Output {
  const whole = text + piece;
  return { text: whole.slice(-MOST), cut: cut || whole.length > MOST };
}

function textOf(data: string): string {
  try {
    const value: unknown = JSON.parse(data);
    const text = typeof value === "object" && value !== null && "text" in value ? value.text : "";
    return typeof text === "string" ? text : "";
  } catch {
    return "";
  }
}

// The live run of one conversation as a pure function of what happened. React, time and the network are
// outside; the same log gives the same state.
import { type Fault, faultOfRun } from "@/api/error";
import type { Message, RunEvent, ToolCall, Usage } from "./events";

export type Phase =
  /** Nothing runs. */
  | "idle"
  /** The message is on its way; no run is known yet. */
  | "sending"
  /** A run streams. */
  | "running"
  /** The stream broke; the run goes on in the server and is being picked up again. */
  | "reconnecting"
  /** The person asked to stop. */
  | "stopping";

export type RunFailure = {
  /** Whose part failed, as far as it is known. */
  fault: Fault;
  code: string | null;
  message: string;
  detail: string | null;
};

export type LiveMessage = { message: Message; startedAt: number; updatedAt: number };

export type RunState = {
  phase: Phase;
  runId: string | null;
  /** The highest sequence number seen: where a broken stream is picked up. */
  lastSeq: number;
  /** What this run produced so far, in order of arrival. */
  live: LiveMessage[];
  stopReason: string | null;
  usage: Usage | null;
  failure: RunFailure | null;
};

export type RunAction =
  | { type: "submitted"; message: Message | null; at: number }
  | { type: "attached"; runId: string }
  | { type: "event"; event: RunEvent; at: number }
  | { type: "stream_cut" }
  | { type: "stop_asked" }
  | { type: "ended" }
  | { type: "failed"; failure: RunFailure }
  | { type: "failure_dismissed" }
  /** History has been read again: whatever it holds is no longer live. */
  | { type: "settled"; stored: ReadonlySet<string> };

export const IDLE: RunState = {
  phase: "idle",
  runId: null,
  lastSeq: 0,
  live: [],
  stopReason: null,
  usage: null,
  failure: null,
};

export function reduce(state: RunState, action: RunAction): RunState {
  switch (action.type) {
    case "submitted":
      return {
        ...IDLE,
        phase: "sending",
        live: action.message ? submit(state.live, action.message, action.at) : state.live,
      };
    case "attached":
      return { ...IDLE, phase: "running", runId: action.runId, live: state.live };
    case "event":
      return reduceEvent(state, action.event, action.at);
    case "stream_cut":
      return { ...state, phase: "reconnecting" };
    case "stop_asked":
      return state.phase === "idle" ? state : { ...state, phase: "stopping" };
    case "ended":
      return { ...state, phase: "idle" };
    case "failed":
      return { ...state, phase: "idle", failure: action.failure };
    case "failure_dismissed":
      return { ...state, failure: null };
    case "settled":
      return { ...state, live: state.live.filter(({ message }) => !isStored(message, action.stored)) };
    default:
      action satisfies never;
      return state;
  }
}

/** Ids and otids of stored messages, for telling what is no longer live. */
export function storedKeys(stored: readonly Message[]): Set<string> {
  const keys = new Set<string>();
  for (const { id, otid } of stored) {
    if (id) keys.add(id);
    if (otid) keys.add(otid);
  }
  return keys;
}

export function isStored(message: Message, stored: ReadonlySet<string>): boolean {
  return stored.has(message.id) || (message.otid !== null && stored.has(message.otid));
}

function reduceEvent(state: RunState, event: RunEvent, at: number): RunState {
  const running: RunState =
    state.phase === "sending" || state.phase === "reconnecting" ? { ...state, phase: "running" } : state;
  switch (event.type) {
    case "pinged":
      return {
        ...running,
        runId: event.runId ?? running.runId,
        lastSeq: Math.max(running.lastSeq, event.seqId ?? 0),
      };
    case "message_arrived": {
      // A resumed stream repeats nothing, a replayed one everything: the number decides.
      if (event.seqId !== null && event.seqId <= state.lastSeq) return running;
      return {
        ...running,
        runId: event.message.runId ?? running.runId,
        lastSeq: event.seqId ?? running.lastSeq,
        live: arrive(running.live, event.message, at),
      };
    }
    case "stopped":
      return { ...running, stopReason: event.reason };
    case "usage_counted":
      return { ...running, usage: event.usage };
    case "run_failed":
      return {
        ...running,
        runId: event.runId ?? running.runId,
        failure: {
          fault: faultOfRun(event.errorType),
          code: event.errorType,
          message: event.message,
          detail: event.detail,
        },
      };
    case "stream_done":
    case "unreadable":
      return running;
    default:
      event satisfies never;
      return running;
  }
}

/** A message sent again takes the place of its first attempt. */
function submit(live: LiveMessage[], message: Message, at: number): LiveMessage[] {
  return [
    ...live.filter((entry) => entry.message.key !== message.key),
    { message, startedAt: at, updatedAt: at },
  ];
}

function arrive(live: LiveMessage[], message: Message, at: number): LiveMessage[] {
  // Nearly always the last one: deltas of a message follow each other.
  const found = live.findLastIndex(
    (entry) => entry.message.key === message.key && entry.message.type === message.type,
  );
  const before = live[found];
  if (!before) return [...live, { message, startedAt: at, updatedAt: at }];
  const next = live.slice();
  next[found] = { ...before, message: merge(before.message, message), updatedAt: at };
  return next;
}

/** Text and reasoning arrive in pieces; calls too, unless whole; everything else is replaced. */
function merge(before: Message, after: Message): Message {
  if (before.type === "assistant" && after.type === "assistant")
    return { ...after, text: before.text + after.text };
  if (before.type === "reasoning" && after.type === "reasoning")
    return { ...after, text: before.text + after.text };
  if (
    (before.type === "tool_call" && after.type === "tool_call") ||
    (before.type === "approval_request" && after.type === "approval_request")
  ) {
    return { ...after, calls: after.calls.reduce(mergeCall, before.calls) };
  }
  return after;
}

function mergeCall(calls: ToolCall[], piece: ToolCall): ToolCall[] {
  const at = piece.toolCallId
    ? calls.findIndex((call) => call.toolCallId === piece.toolCallId)
    : calls.length - 1;
  const before = calls[at];
  if (!before) return [...calls, piece];
  const next = calls.slice();
  next[at] = {
    toolCallId: before.toolCallId,
    name: piece.name ?? before.name,
    arguments: piece.whole ? piece.arguments : before.arguments + piece.arguments,
    whole: before.whole || piece.whole,
  };
  return next;
}

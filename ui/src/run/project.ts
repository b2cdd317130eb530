// From messages, stored and live alike, to what the conversation shows: turns of typed parts.
import type { CallTimes } from "./call-times";
import type { Message, Picture, ToolCall, ToolReturn } from "./events";
import { isStored, type LiveMessage, storedKeys } from "./reducer";

export type ToolState =
  /** The model is still writing the arguments. */
  | "writing"
  | "running"
  /** Waits for a person. */
  | "waiting"
  | "succeeded"
  | "failed"
  | "denied"
  /** No result was ever stored: the run ended first. */
  | "interrupted";

export type ToolPart = {
  type: "tool";
  key: string;
  toolCallId: string;
  name: string;
  arguments: string;
  state: ToolState;
  result: ToolReturn | null;
  /** Milliseconds, where both ends were seen. */
  duration: number | null;
  /** Since when it runs, milliseconds of the clock, where that was seen. */
  since: number | null;
};

export type Part =
  | { type: "text"; key: string; text: string; streaming: boolean }
  | { type: "reasoning"; key: string; text: string; streaming: boolean; hidden: boolean }
  | ToolPart
  | { type: "unknown"; key: string; messageType: string; raw: string };

export type UserTurn = {
  role: "user";
  key: string;
  /** Of the stored message; empty until it is stored. */
  id: string;
  text: string;
  pictures: Picture[];
  date: string | null;
  pending: boolean;
};

export type AgentTurn = {
  role: "agent";
  key: string;
  step: string;
  /** Ids of the stored messages its parts come from. */
  ids: string[];
  parts: Part[];
  date: string | null;
  failed: boolean;
};

export type NoteTurn = {
  role: "note";
  key: string;
  kind: "summary" | "event";
  text: string;
  date: string | null;
};

export type Turn = UserTurn | AgentTurn | NoteTurn;

export type Progress = {
  /** A run is under way: the last text streams and calls without result run. */
  active: boolean;
  /** Call ids that wait for a person, from the inbox. */
  waiting: ReadonlySet<string>;
  /** Call ids that run on this machine now, whatever the inbox still says. */
  running?: Pick<ReadonlySet<string>, "has">;
  /** What this window saw of the calls' times, finer than the dates of what is stored. */
  times?: CallTimes;
};

/** `stored` and `live` overlap after a reload during a run; what is stored wins. */
export function project(
  stored: readonly Message[],
  live: readonly LiveMessage[],
  progress: Progress,
): Turn[] {
  const known = storedKeys(stored);
  const fresh = live.filter(({ message }) => !isStored(message, known));
  const all: Seen[] = [
    ...distinct(stored).map((message) => ({ message, startedAt: null, updatedAt: null })),
    ...fresh,
  ];
  const answers = collectAnswers(all);
  const open = openCalls(all, answers, progress);

  const built: Built = { turns: [], keys: new Set(), tools: new Map() };
  for (const seen of all) addMessage(built, seen, { answers, open, progress, last: all.at(-1) === seen });
  return built.turns;
}

/** Nothing on screen moves although a run is under way: the model has not begun, or a tool has just returned. */
export function isQuiet(last: Turn | undefined): boolean {
  if (last?.role !== "agent") return true;
  const part = last.parts.at(-1);
  switch (part?.type) {
    case "tool":
      return part.state !== "writing" && part.state !== "running";
    case "text":
    case "reasoning":
      return !part.streaming;
    default:
      return true;
  }
}

/** The turns so far, and where to find things in them without searching. */
type Built = { turns: Turn[]; keys: Set<string>; tools: Map<string, ToolPart> };

type Seen = { message: Message; startedAt: number | null; updatedAt: number | null };
type Answer = { result: ToolReturn | null; denied: boolean; at: Seen };
type Context = { answers: Map<string, Answer>; open: ReadonlySet<string>; progress: Progress; last: boolean };

function addMessage(built: Built, seen: Seen, context: Context): void {
  const { message } = seen;
  const streaming = context.last && context.progress.active && seen.startedAt !== null;
  switch (message.type) {
    case "user":
      built.turns.push({
        role: "user",
        key: message.key,
        id: message.id,
        text: message.text,
        pictures: message.pictures,
        date: message.date,
        pending: seen.startedAt !== null && message.id === "",
      });
      return;
    case "assistant":
      if (message.text)
        addPart(built, seen, { type: "text", key: message.key, text: message.text, streaming });
      return;
    case "reasoning":
      if (message.text) {
        addPart(built, seen, {
          type: "reasoning",
          key: message.key,
          text: message.text,
          streaming,
          hidden: false,
        });
      }
      return;
    case "hidden_reasoning":
      addPart(built, seen, { type: "reasoning", key: message.key, text: "", streaming: false, hidden: true });
      return;
    case "tool_call":
    case "approval_request":
      for (const call of message.calls) addCall(built, seen, call, streaming, context);
      return;
    case "tool_return":
      for (const result of message.returns) addOrphan(built, seen, result, message.name);
      return;
    case "approval_response":
    case "system":
      return;
    case "summary":
      built.turns.push({
        role: "note",
        key: message.key,
        kind: "summary",
        text: message.text,
        date: message.date,
      });
      return;
    case "event":
      built.turns.push({
        role: "note",
        key: message.key,
        kind: "event",
        text: message.eventType,
        date: message.date,
      });
      return;
    case "unknown":
      addPart(built, seen, {
        type: "unknown",
        key: message.key,
        messageType: message.messageType,
        raw: message.raw,
      });
      return;
    default:
      message satisfies never;
  }
}

/** Parts of one step stand together; a new step is a new turn, so that a long run stays many small rows. */
function addPart(built: Built, { message }: Seen, part: Part): void {
  if (part.type === "tool" && part.toolCallId) built.tools.set(part.toolCallId, part);
  const last = built.turns.at(-1);
  const step = `turn/${message.stepId ?? message.id}`;
  if (last?.role === "agent" && last.step === step) {
    last.parts.push(part);
    if (last.ids.at(-1) !== message.id) last.ids.push(message.id);
    last.failed ||= message.isErr;
    return;
  }
  // A step is shown twice when something of a person stands between its parts.
  const key = built.keys.has(step) ? `${step}/${message.key}` : step;
  built.keys.add(step);
  built.turns.push({
    role: "agent",
    key,
    step,
    ids: [message.id],
    parts: [part],
    date: message.date,
    failed: message.isErr,
  });
}

function addCall(built: Built, seen: Seen, call: ToolCall, streaming: boolean, context: Context): void {
  // A call can be listed twice: as an ordinary call first, then in the approval request it belongs to.
  const shown = built.tools.get(call.toolCallId);
  if (shown) {
    shown.arguments = call.arguments || shown.arguments;
    return;
  }
  const answer = context.answers.get(call.toolCallId);
  const time = context.progress.times?.get(call.toolCallId);
  const state = stateOf(call, answer, streaming && !call.whole, context);
  addPart(built, seen, {
    type: "tool",
    key: `${seen.message.key}/${call.toolCallId}`,
    toolCallId: call.toolCallId,
    name: call.name ?? "",
    arguments: call.arguments,
    state,
    result: answer?.result ?? null,
    duration: answer?.result ? (time?.took ?? durationBetween(seen, answer.at)) : null,
    since: state === "running" ? (time?.began ?? null) : null,
  });
}

function stateOf(call: ToolCall, answer: Answer | undefined, writing: boolean, context: Context): ToolState {
  if (answer?.denied) return "denied";
  if (answer?.result) return answer.result.status === "error" ? "failed" : "succeeded";
  if (context.progress.running?.has(call.toolCallId)) return "running";
  if (context.progress.waiting.has(call.toolCallId)) return "waiting";
  if (writing) return "writing";
  if (context.open.has(call.toolCallId)) return "running";
  return "interrupted";
}

function addOrphan(built: Built, seen: Seen, result: ToolReturn, name: string | null): void {
  if (built.tools.has(result.toolCallId)) return;
  addPart(built, seen, {
    type: "tool",
    key: `${seen.message.key}/${result.toolCallId}`,
    toolCallId: result.toolCallId,
    name: name ?? "",
    arguments: "",
    state: result.status === "error" ? "failed" : "succeeded",
    result,
    duration: null,
    since: null,
  });
}

function collectAnswers(all: readonly Seen[]): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  const note = (toolCallId: string, change: Partial<Answer>, at: Seen) => {
    const before = answers.get(toolCallId) ?? { result: null, denied: false, at };
    answers.set(toolCallId, { ...before, ...change, at });
  };
  for (const seen of all) {
    const { message } = seen;
    if (message.type === "tool_return" || message.type === "approval_response") {
      for (const result of message.returns) note(result.toolCallId, { result }, seen);
    }
    if (message.type === "approval_response") {
      for (const decision of message.decisions) {
        if (!decision.approve) note(decision.toolCallId, { denied: true }, seen);
      }
    }
  }
  return answers;
}

/** Calls that may still be answered: those of the running turn. */
function openCalls(all: readonly Seen[], answers: Map<string, Answer>, progress: Progress): Set<string> {
  const open = new Set<string>();
  if (!progress.active) return open;
  for (let at = all.length - 1; at >= 0; at -= 1) {
    const message = all[at]?.message;
    if (message?.type === "user") break;
    if (message?.type !== "tool_call" && message?.type !== "approval_request") continue;
    for (const call of message.calls) if (!answers.has(call.toolCallId)) open.add(call.toolCallId);
  }
  return open;
}

function durationBetween(from: Seen, to: Seen): number | null {
  if (from.updatedAt !== null && to.updatedAt !== null) return Math.max(0, to.updatedAt - from.updatedAt);
  // Between a question and the result lies the wait for a person.
  if (from.message.type === "approval_request") return null;
  const start = from.message.date ? Date.parse(from.message.date) : Number.NaN;
  const end = to.message.date ? Date.parse(to.message.date) : Number.NaN;
  // Stored dates are whole seconds: below that a duration would be an invention.
  return end - start >= 1000 ? end - start : null;
}

/** Pages of history can overlap at their edges. */
function distinct(messages: readonly Message[]): Message[] {
  const seen = new Set<string>();
  return messages.filter(({ key, type }) => {
    const mark = `${type}/${key}`;
    if (seen.has(mark)) return false;
    seen.add(mark);
    return true;
  });
}

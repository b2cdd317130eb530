// From messages, stored and live alike, to what the conversation shows: turns of typed parts.
import type { CallTime, CallTimes } from "./call-times";
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

/**
 * `stored` and `live` overlap after a reload during a run; what is stored wins. The turns of what is stored are made
 * once and are the same objects while a run streams, however long the conversation is.
 */
export function project(
  stored: readonly Message[],
  live: readonly LiveMessage[],
  progress: Progress,
): Turn[] {
  const known = memberOf(stored);
  const fresh = live.filter(({ message }) => !isStored(message, known));
  // What is said now closes what was left open before it.
  const open = progress.active && !fresh.some(({ message }) => message.type === "user");
  const base = baseOf(stored, { ...progress, active: open });
  if (fresh.length === 0) return base.built.turns;

  const answers = collectAnswers(fresh);
  const built: Built = {
    turns: base.built.turns.slice(),
    keys: new Set(),
    tools: new Map(),
    base: base.built,
  };
  for (const [toolCallId, answer] of answers) answerEarlier(built, base, toolCallId, answer, progress);
  const context = {
    answers: { get: (id: string) => mergeAnswers(base.answers.get(id), answers.get(id)) },
    open: openCalls(fresh, answers, progress),
    progress,
  };
  for (const seen of fresh) addMessage(built, seen, { ...context, last: fresh.at(-1) === seen });
  return built.turns;
}

/** Whether two rows show the same: a row made anew for each piece of a stream is drawn when it has changed. */
export function isAlike(a: Turn, b: Turn): boolean {
  if (a === b) return true;
  if (a.role !== "agent" || b.role !== "agent") return isSame(a, b);
  return (
    isSame({ ...a, parts: null, ids: null }, { ...b, parts: null, ids: null }) &&
    isSame(a.ids, b.ids) &&
    a.parts.length === b.parts.length &&
    a.parts.every((part, at) => isSame(part, b.parts[at] ?? {}))
  );
}

function isSame(a: object, b: object): boolean {
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([name, value]) => Object.is(value, right.get(name)));
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
type Built = {
  turns: Turn[];
  keys: Set<string>;
  tools: Map<string, Placed>;
  /** What it goes on from; nothing of it may be changed in place. */
  base?: Built;
};

/** A call's part, the turn it stands in, and the message it comes from. */
type Placed = { part: ToolPart; at: number; seen: Seen };

/** What is stored, projected: remembered as long as the list of messages is. */
type Base = { progress: Progress; built: Built; answers: Map<string, Answer> };
const bases = new WeakMap<readonly Message[], Base>();
const members = new WeakMap<readonly Message[], Set<string>>();

function memberOf(stored: readonly Message[]): Set<string> {
  const known = members.get(stored) ?? storedKeys(stored);
  members.set(stored, known);
  return known;
}

function baseOf(stored: readonly Message[], progress: Progress): Base {
  const before = bases.get(stored);
  if (before && isSame(before.progress, progress)) return before;
  const all = distinct(stored).map((message) => ({ message, startedAt: null, updatedAt: null }));
  const answers = collectAnswers(all);
  const context = { answers, open: openCalls(all, answers, progress), progress, last: false };
  const built: Built = { turns: [], keys: new Set(), tools: new Map() };
  for (const seen of all) addMessage(built, seen, context);
  const made = { progress, built, answers };
  bases.set(stored, made);
  return made;
}

/** An answer that has just arrived, for a call that is stored. */
function answerEarlier(
  built: Built,
  base: Base,
  toolCallId: string,
  answer: Answer,
  progress: Progress,
): void {
  const placed = base.built.tools.get(toolCallId);
  if (!placed) return;
  const whole = mergeAnswers(base.answers.get(toolCallId), answer);
  const state = stateOf(toolCallId, whole, false, { progress, open: NONE });
  const ended = outcome(placed.seen, state, whole, progress.times?.get(toolCallId));
  changeTool(built, placed, (part) => ({ ...part, ...ended }));
}

const NONE: ReadonlySet<string> = new Set();

function mergeAnswers(before: Answer | undefined, after: Answer | undefined): Answer | undefined {
  if (!before || !after) return after ?? before;
  return { result: after.result ?? before.result, denied: before.denied || after.denied, at: after.at };
}

/** A turn that may be changed: one of the base is copied first. */
function ownTurn(built: Built, at: number): AgentTurn | null {
  const turn = built.turns[at];
  if (turn?.role !== "agent") return null;
  if (built.base?.turns[at] !== turn) return turn;
  const own = { ...turn, parts: [...turn.parts], ids: [...turn.ids] };
  built.turns[at] = own;
  return own;
}

function changeTool(built: Built, placed: Placed, change: (part: ToolPart) => ToolPart): void {
  const turn = ownTurn(built, placed.at);
  const index = turn?.parts.findIndex((part) => part.key === placed.part.key) ?? -1;
  const part = turn?.parts[index];
  if (!turn || part?.type !== "tool") return;
  const changed = change(part);
  turn.parts[index] = changed;
  built.tools.set(part.toolCallId, { ...placed, part: changed });
}

function placedTool(built: Built, toolCallId: string): Placed | undefined {
  return built.tools.get(toolCallId) ?? built.base?.tools.get(toolCallId);
}

type Seen = { message: Message; startedAt: number | null; updatedAt: number | null };
type Answer = { result: ToolReturn | null; denied: boolean; at: Seen };
type Context = {
  answers: Pick<ReadonlyMap<string, Answer>, "get">;
  open: ReadonlySet<string>;
  progress: Progress;
  last: boolean;
};

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
function addPart(built: Built, seen: Seen, part: Part): void {
  const { message } = seen;
  const place = (at: number) => {
    if (part.type === "tool" && part.toolCallId) built.tools.set(part.toolCallId, { part, at, seen });
  };
  const last = built.turns.at(-1);
  const step = `turn/${message.stepId ?? message.id}`;
  if (last?.role === "agent" && last.step === step) {
    const own = ownTurn(built, built.turns.length - 1) ?? last;
    own.parts.push(part);
    if (own.ids.at(-1) !== message.id) own.ids.push(message.id);
    own.failed ||= message.isErr;
    place(built.turns.length - 1);
    return;
  }
  place(built.turns.length);
  // A step is shown twice when something of a person stands between its parts.
  const again = built.keys.has(step) || built.base?.keys.has(step);
  const key = again ? `${step}/${message.key}` : step;
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
  const shown = placedTool(built, call.toolCallId);
  if (shown) {
    if (call.arguments) changeTool(built, shown, (part) => ({ ...part, arguments: call.arguments }));
    return;
  }
  const answer = context.answers.get(call.toolCallId);
  const time = context.progress.times?.get(call.toolCallId);
  const state = stateOf(call.toolCallId, answer, streaming && !call.whole, context);
  addPart(built, seen, {
    type: "tool",
    key: `${seen.message.key}/${call.toolCallId}`,
    toolCallId: call.toolCallId,
    name: call.name ?? "",
    arguments: call.arguments,
    ...outcome(seen, state, answer, time),
  });
}

/** What is known of how a call ended, or since when it runs. */
function outcome(from: Seen, state: ToolState, answer: Answer | undefined, time: CallTime | undefined) {
  return {
    state,
    result: answer?.result ?? null,
    duration: answer?.result ? (time?.took ?? durationBetween(from, answer.at)) : null,
    since: state === "running" ? (time?.began ?? null) : null,
  };
}

function stateOf(
  toolCallId: string,
  answer: Answer | undefined,
  writing: boolean,
  context: Pick<Context, "progress" | "open">,
): ToolState {
  if (answer?.denied) return "denied";
  if (answer?.result) return answer.result.status === "error" ? "failed" : "succeeded";
  if (context.progress.running?.has(toolCallId)) return "running";
  if (context.progress.waiting.has(toolCallId)) return "waiting";
  if (writing) return "writing";
  if (context.open.has(toolCallId)) return "running";
  return "interrupted";
}

function addOrphan(built: Built, seen: Seen, result: ToolReturn, name: string | null): void {
  if (placedTool(built, result.toolCallId)) return;
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

// Drives the live run of one thread: sends, reads the stream, picks a broken one up again, stops. It outlives the
// panel that shows it, so that looking at another agent interrupts nothing.
import type { Api } from "@/api/client";
import { toApiError } from "@/api/error";
import type { ClientTool, Decision } from "@/api/workbench";
import { type PictureData, pictureUrl } from "@/lib/pictures";
import { uuid } from "@/lib/uuid";
import type { TransportResponse } from "@/transport";
import { began, type CallTime, type CallTimes, ended } from "./call-times";
import { decodeFrame, type Message, type Picture, readFrames } from "./events";
import { IDLE, type RunAction, type RunFailure, type RunState, reduce } from "./reducer";
import { cancelCall, messagesPath, type Thread } from "./thread";

/** What the rest of the window wants to hear of a run, for reading again what may have changed. */
export type RunNotice =
  /** A tool returned: memory may have changed. */
  | "tool_returned"
  /** The run's first event: what was sent is stored now. */
  | "run_started"
  | "run_ended";

export type Answer = {
  messageId: string;
  conversationId: string | null;
  decisions: Decision[];
  /** The calls this machine carries out before the answer goes on. */
  runHere: readonly string[];
};

export type RunSession = {
  getState(): RunState;
  /** Of the calls this window saw run. */
  callTimes(): CallTimes;
  subscribe(listener: () => void): () => void;
  /** Sends a message; refuses (returns false) while a run is under way. */
  send(text: string, clientTools: readonly ClientTool[], pictures?: readonly PictureData[]): boolean;
  /** Answers a complete set of waiting calls and follows the turn that continues. */
  answer(answer: Answer): boolean;
  /** Sends the message again that did not arrive; the server knows it by its otid and never runs it twice. */
  retry(): boolean;
  /** Says the last message once more, as a new one: the first arrived, but its run failed. */
  again(): boolean;
  /** Whether the run under way or just ended began with a message of this window. */
  canAgain(): boolean;
  /** Follows a run that is already under way, for instance after a restart of the window. */
  follow(runId: string): boolean;
  stop(): Promise<void>;
  dismissFailure(): void;
  settle(stored: ReadonlySet<string>): void;
};

type Options = {
  api: Api;
  thread: Thread;
  onNotice: (notice: RunNotice) => void;
  /** Milliseconds before the nth attempt at picking a stream up again. */
  delay?: (attempt: number) => number;
  now?: () => number;
};

const ATTEMPTS = 8;
/** Deltas within this many milliseconds become one change of the screen. */
const FLUSH_MS = 32;

export function createRunSession({
  api,
  thread,
  onNotice,
  delay = backOff,
  now = Date.now,
}: Options): RunSession {
  let state = IDLE;
  const listeners = new Set<() => void>();
  const times = new Map<string, CallTime>();
  let pending: RunAction[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;

  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (pending.length === 0) return;
    const next = pending.reduce(reduce, state);
    pending = [];
    if (next === state) return;
    state = next;
    for (const listener of listeners) listener();
  };
  const dispatch = (action: RunAction) => {
    pending.push(action);
    if (action.type === "event" && action.event.type === "message_arrived")
      timer ??= setTimeout(flush, FLUSH_MS);
    else flush();
  };

  /** Reads one stream to its end. True when the run itself ended, false when only the stream did. */
  const read = async (response: TransportResponse): Promise<boolean> => {
    let started = false;
    for await (const { data } of readFrames(response.body)) {
      const event = decodeFrame(data);
      const at = now();
      dispatch({ type: "event", event, at });
      if (event.type === "message_arrived") clock(times, event.message, at);
      if (!started) {
        started = true;
        onNotice("run_started");
      }
      if (event.type === "message_arrived" && event.message.type === "tool_return") onNotice("tool_returned");
      if (event.type === "stream_done" || event.type === "run_failed") return true;
    }
    flush();
    // A stop reason is the run's last word; only the closing line may have been lost.
    return state.stopReason !== null;
  };

  const pursue = async (open: () => Promise<TransportResponse>) => {
    try {
      let ended = await attempt(open);
      for (let n = 1; !ended; n += 1) {
        if (!state.runId) throw new Error("The connection broke before the run was known.");
        if (n > ATTEMPTS) throw new Error("The stream broke and could not be picked up again.");
        dispatch({ type: "stream_cut" });
        await new Promise((wake) => setTimeout(wake, delay(n)));
        const runId = state.runId;
        const since = state.lastSeq;
        ended = await attempt(() =>
          api.stream("POST", `/v1/runs/${encodeURIComponent(runId)}/stream`, {
            starting_after: since,
            include_pings: true,
          }),
        );
      }
      dispatch({ type: "ended" });
    } catch (thrown) {
      dispatch({ type: "failed", failure: failureOf(thrown) });
    } finally {
      onNotice("run_ended");
    }
  };

  /** As `read`, but a network that gives way is a cut stream, not an error, once the run is known. */
  const attempt = async (open: () => Promise<TransportResponse>): Promise<boolean> => {
    try {
      return await read(await open());
    } catch (thrown) {
      flush();
      const error = toApiError(thrown);
      if (state.runId && (error.status === null || error.status >= 502)) return false;
      throw error;
    }
  };

  const begin = (action: RunAction, open: () => Promise<TransportResponse>): boolean => {
    flush();
    if (state.phase !== "idle") return false;
    dispatch(action);
    void pursue(open);
    return true;
  };

  let last: {
    text: string;
    otid: string;
    clientTools: readonly ClientTool[];
    pictures: readonly PictureData[];
  } | null = null;
  const submit = ({ text, otid, clientTools, pictures }: NonNullable<typeof last>) =>
    begin({ type: "submitted", message: ownMessage(text, otid, pictures), at: now() }, () =>
      api.stream("POST", messagesPath(thread), {
        messages: [{ role: "user", content: contentOf(text, pictures), otid }],
        streaming: true,
        stream_tokens: true,
        background: true,
        include_pings: true,
        include_compaction_messages: true,
        ...(clientTools.length > 0 ? { client_tools: clientTools } : {}),
      }),
    );

  return {
    getState: () => state,
    callTimes: () => times,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    send(text, clientTools, pictures = []) {
      if (state.phase !== "idle") return false;
      last = { text, otid: uuid(), clientTools, pictures };
      return submit(last);
    },
    retry: () => (last ? submit(last) : false),
    again() {
      if (!last || state.phase !== "idle") return false;
      last = { ...last, otid: uuid() };
      return submit(last);
    },
    canAgain: () => last !== null,
    answer({ messageId, conversationId, decisions, runHere }) {
      if (state.phase === "idle") last = null;
      for (const { tool_call_id } of decisions) began(times, tool_call_id, now());
      return begin({ type: "submitted", message: null, at: now() }, async () => {
        const response = await api.stream(
          "POST",
          `/workbench/approvals/${encodeURIComponent(messageId)}/answer`,
          {
            agent_id: thread.agentId,
            conversation_id: conversationId,
            decisions,
          },
        );
        // It has run by now. Of several nobody here can tell how long each of them took.
        const [only, ...others] = runHere;
        if (only !== undefined && others.length === 0) ended(times, only, now());
        return response;
      });
    },
    follow(runId) {
      if (state.phase === "idle") last = null;
      return begin({ type: "attached", runId }, () =>
        api.stream("POST", `/v1/runs/${encodeURIComponent(runId)}/stream`, {
          starting_after: 0,
          include_pings: true,
        }),
      );
    },
    async stop() {
      flush();
      if (state.phase === "idle") return;
      dispatch({ type: "stop_asked" });
      const { path, body } = cancelCall(thread, state.runId);
      await api.json("POST", path, body);
    },
    dismissFailure: () => dispatch({ type: "failure_dismissed" }),
    settle: (stored) => dispatch({ type: "settled", stored }),
  };
}

function clock(times: Map<string, CallTime>, message: Message, at: number): void {
  if (message.type === "tool_call" || message.type === "approval_request") {
    for (const { toolCallId } of message.calls) began(times, toolCallId, at);
  } else if (message.type === "tool_return" || message.type === "approval_response") {
    for (const { toolCallId } of message.returns) ended(times, toolCallId, at);
  }
}

function contentOf(text: string, pictures: readonly PictureData[]): unknown[] {
  return [
    ...(text || pictures.length === 0 ? [{ type: "text", text }] : []),
    ...pictures.map(({ mediaType, data }) => ({
      type: "image",
      source: { type: "base64", media_type: mediaType, data },
    })),
  ];
}

function ownMessage(text: string, otid: string, pictures: readonly PictureData[]): Message {
  return {
    type: "user",
    text,
    pictures: pictures.map((picture): Picture => ({ kind: "data", src: pictureUrl(picture) })),
    key: otid,
    id: "",
    otid,
    date: null,
    stepId: null,
    runId: null,
    isErr: false,
  };
}

function failureOf(thrown: unknown): RunFailure {
  const { fault, code, message, detail } = toApiError(thrown);
  return { fault, code, message, detail };
}

function backOff(attempt: number): number {
  return Math.min(250 * 2 ** (attempt - 1), 5000);
}

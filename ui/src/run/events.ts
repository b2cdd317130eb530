// Decodes what a run sends (and what history lists) into plain values. Unknown things survive as `unknown`;
// nothing here throws on what a server says.
import { createParser } from "eventsource-parser";

export type ToolCall = {
  toolCallId: string;
  name: string | null;
  /** JSON text; in a delta only the new piece. */
  arguments: string;
  /** False when `arguments` is a piece to append. */
  whole: boolean;
};

export type ToolReturn = {
  toolCallId: string;
  status: "success" | "error";
  text: string;
  stdout: string[];
  stderr: string[];
};

export type Decided = { toolCallId: string; approve: boolean; reason: string | null };

/** A part of a message's content this window shows. */
export type Picture = { kind: "data"; src: string } | { kind: "link"; url: string };

type Content =
  | { type: "user"; text: string; pictures: Picture[] }
  | { type: "assistant"; text: string }
  | { type: "system"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "hidden_reasoning" }
  | { type: "tool_call"; calls: ToolCall[] }
  | { type: "approval_request"; calls: ToolCall[] }
  | { type: "tool_return"; name: string | null; returns: ToolReturn[] }
  | { type: "approval_response"; decisions: Decided[]; returns: ToolReturn[] }
  | { type: "summary"; text: string }
  | { type: "event"; eventType: string }
  | { type: "unknown"; messageType: string; raw: string };

/** One API message. Several share an `id`; `key` tells them apart. */
export type Message = Content & {
  key: string;
  id: string;
  otid: string | null;
  date: string | null;
  stepId: string | null;
  runId: string | null;
  isErr: boolean;
};

export type Usage = {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  stepCount: number;
};

export type RunEvent =
  | { type: "pinged"; runId: string | null; seqId: number | null }
  | { type: "message_arrived"; message: Message; seqId: number | null }
  | { type: "stopped"; reason: string }
  | { type: "usage_counted"; usage: Usage }
  | {
      type: "run_failed";
      errorType: string | null;
      message: string;
      detail: string | null;
      runId: string | null;
    }
  | { type: "stream_done" }
  | { type: "unreadable"; data: string };

/** The frames of a server-sent event stream, in order, as they arrive. Ends when the body ends. */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ event: string | null; data: string }> {
  const frames: Array<{ event: string | null; data: string }> = [];
  const parser = createParser({ onEvent: ({ event, data }) => frames.push({ event: event ?? null, data }) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* frames.splice(0);
    }
  } finally {
    // Reached early when the consumer stops: the bridge or the connection must hear of it.
    await reader.cancel().catch(() => {});
  }
}

export function decodeFrame(data: string): RunEvent {
  if (data === "[DONE]") return { type: "stream_done" };
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return { type: "unreadable", data };
  }
  if (!isRecord(json)) return { type: "unreadable", data };
  switch (json.message_type) {
    case "ping":
      return { type: "pinged", runId: str(json.run_id), seqId: num(json.seq_id) };
    case "stop_reason":
      return { type: "stopped", reason: str(json.stop_reason) ?? "unknown" };
    case "usage_statistics":
      return {
        type: "usage_counted",
        usage: {
          promptTokens: num(json.prompt_tokens) ?? 0,
          completionTokens: num(json.completion_tokens) ?? 0,
          totalTokens: num(json.total_tokens) ?? 0,
          stepCount: num(json.step_count) ?? 0,
        },
      };
    case "error_message":
      return {
        type: "run_failed",
        errorType: str(json.error_type),
        message: str(json.message) ?? "",
        detail: str(json.detail),
        runId: str(json.run_id),
      };
    default:
      return { type: "message_arrived", message: decodeMessage(json), seqId: num(json.seq_id) };
  }
}

/** One message of a stream or of `GET …/messages`. */
export function decodeMessage(json: unknown): Message {
  const raw = isRecord(json) ? json : {};
  const messageType = str(raw.message_type) ?? "";
  const id = str(raw.id) ?? "";
  const otid = str(raw.otid);
  return {
    ...decodeContent(messageType, raw),
    key: otid ?? `${id}/${messageType}`,
    id,
    otid,
    date: str(raw.date),
    stepId: str(raw.step_id),
    runId: str(raw.run_id),
    isErr: raw.is_err === true,
  };
}

function decodeContent(messageType: string, raw: Record<string, unknown>): Content {
  switch (messageType) {
    case "user_message":
      return { type: "user", text: textOf(raw.content), pictures: picturesOf(raw.content) };
    case "assistant_message":
      return { type: "assistant", text: textOf(raw.content) };
    case "system_message":
      return { type: "system", text: textOf(raw.content) };
    case "reasoning_message":
      return { type: "reasoning", text: textOf(raw.reasoning) };
    case "hidden_reasoning_message":
      return { type: "hidden_reasoning" };
    case "tool_call_message":
      return { type: "tool_call", calls: callsOf(raw) };
    case "approval_request_message":
      return { type: "approval_request", calls: callsOf(raw) };
    case "tool_return_message":
      return { type: "tool_return", name: str(raw.name), returns: returnsOf(raw) };
    case "approval_response_message":
      return { type: "approval_response", ...answersOf(raw) };
    case "summary_message":
      return { type: "summary", text: textOf(raw.summary) };
    case "event_message":
      return { type: "event", eventType: str(raw.event_type) ?? "" };
    default:
      return { type: "unknown", messageType, raw: JSON.stringify(raw, null, 2) };
  }
}

/** Whole calls come as an array; a delta comes as one object, in `tool_calls` and in the older `tool_call`. */
function callsOf(raw: Record<string, unknown>): ToolCall[] {
  const whole = Array.isArray(raw.tool_calls);
  const entries = whole
    ? (raw.tool_calls as unknown[])
    : [isRecord(raw.tool_calls) ? raw.tool_calls : raw.tool_call];
  return entries.filter(isRecord).map((call) => ({
    toolCallId: str(call.tool_call_id) ?? "",
    name: str(call.name),
    arguments:
      typeof call.arguments === "string"
        ? call.arguments
        : call.arguments == null
          ? ""
          : JSON.stringify(call.arguments),
    whole,
  }));
}

function returnsOf(raw: Record<string, unknown>): ToolReturn[] {
  const entries = Array.isArray(raw.tool_returns) && raw.tool_returns.length > 0 ? raw.tool_returns : [raw];
  return entries.filter(isRecord).map(toReturn);
}

function toReturn(entry: Record<string, unknown>): ToolReturn {
  return {
    toolCallId: str(entry.tool_call_id) ?? "",
    status: entry.status === "error" ? "error" : "success",
    text: textOf(entry.tool_return),
    stdout: strings(entry.stdout),
    stderr: strings(entry.stderr),
  };
}

function answersOf(raw: Record<string, unknown>): { decisions: Decided[]; returns: ToolReturn[] } {
  const entries = Array.isArray(raw.approvals) ? raw.approvals.filter(isRecord) : [];
  return {
    decisions: entries
      .filter((entry) => typeof entry.approve === "boolean")
      .map((entry) => ({
        toolCallId: str(entry.tool_call_id) ?? "",
        approve: entry.approve === true,
        reason: str(entry.reason),
      })),
    returns: entries.filter((entry) => "tool_return" in entry).map(toReturn),
  };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (content == null) return "";
  if (Array.isArray(content)) {
    return content
      .filter(isRecord)
      .map((part) => (typeof part.text === "string" ? part.text : ""))
      .filter(Boolean)
      .join("\n");
  }
  return JSON.stringify(content);
}

function picturesOf(content: unknown): Picture[] {
  if (!Array.isArray(content)) return [];
  return content.filter(isRecord).flatMap((part): Picture[] => {
    const source = part.type === "image" && isRecord(part.source) ? part.source : null;
    if (!source) return [];
    const data = str(source.data);
    if (data) return [{ kind: "data", src: `data:${str(source.media_type) ?? "image/png"};base64,${data}` }];
    const url = str(source.url);
    return url ? [{ kind: "link", url }] : [];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function str(value: unknown): string | null {
  return typeof value === "string" && value.length > 0 ? value : null;
}

function num(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

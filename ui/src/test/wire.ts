// What the server sends, in few words, for tests.

type Extra = Record<string, unknown>;

/** A message as the API writes it. */
export function wire(type: string, id: string, extra: Extra = {}): Extra {
  return {
    id: `message-${id}`,
    date: "2026-01-01T10:00:00+00:00",
    name: null,
    message_type: `${type}_message`,
    otid: `otid-${id}-${type}`,
    sender_id: null,
    step_id: `step-${id}`,
    is_err: null,
    seq_id: null,
    run_id: "run-1",
    ...extra,
  };
}

export const call = (toolCallId: string, args: string, name: string | null = null) => ({
  ...(name === null ? {} : { name }),
  arguments: args,
  tool_call_id: toolCallId,
});

export const returned = (toolCallId: string, text: string, status = "success") => ({
  type: "tool",
  tool_return: text,
  status,
  tool_call_id: toolCallId,
  stdout: [],
  stderr: [],
});

/** Numbers the events of a background run; the ping is 1. */
export function numbered(events: Extra[]): Extra[] {
  return [{ message_type: "ping", id: "ping-1", run_id: "run-1" }, ...events].map((event, at) => ({
    ...event,
    seq_id: at + 1,
  }));
}

export const END: Extra[] = [
  { message_type: "stop_reason", stop_reason: "end_turn" },
  {
    message_type: "usage_statistics",
    prompt_tokens: 1,
    completion_tokens: 1,
    total_tokens: 2,
    step_count: 1,
  },
];

export const frame = (event: Extra | string) =>
  `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;

import { describe, expect, it } from "vitest";
import { decodeFrame, decodeMessage, readFrames } from "./events";

function body(...pieces: Array<string | Uint8Array>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces)
        controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      controller.close();
    },
  });
}

async function frames(stream: ReadableStream<Uint8Array>) {
  const all: Array<{ event: string | null; data: string }> = [];
  for await (const frame of readFrames(stream)) all.push(frame);
  return all;
}

describe("readFrames", () => {
  it("puts frames together from pieces cut anywhere, also inside a character", async () => {
    const bytes = new TextEncoder().encode('data: {"a":"ü"}\n\n');
    const at = bytes.indexOf(0xc3) + 1;
    expect(
      await frames(body(bytes.slice(0, at), bytes.slice(at), "event: error\nda", "ta: x\n\n: ping\n\n")),
    ).toEqual([
      { event: null, data: '{"a":"ü"}' },
      { event: "error", data: "x" },
    ]);
  });

  it("drops an unfinished last frame", async () => {
    expect(await frames(body("data: whole\n\ndata: cut"))).toEqual([{ event: null, data: "whole" }]);
  });

  it("cancels the body when the reader stops early", async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const _ of readFrames(endless)) break;
    expect(cancelled).toBe(true);
  });
});

describe("decodeFrame", () => {
  it.each([
    ["[DONE]", { type: "stream_done" }],
    ["not json", { type: "unreadable", data: "not json" }],
    ["[1]", { type: "unreadable", data: "[1]" }],
    [
      '{"message_type":"ping","id":"ping-1","run_id":"run-1","seq_id":1}',
      { type: "pinged", runId: "run-1", seqId: 1 },
    ],
    ['{"message_type":"stop_reason","stop_reason":"end_turn"}', { type: "stopped", reason: "end_turn" }],
    [
      '{"message_type":"usage_statistics","prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"step_count":1}',
      {
        type: "usage_counted",
        usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5, stepCount: 1 },
      },
    ],
    [
      '{"message_type":"error_message","run_id":"run-1","error_type":"llm_timeout","message":"m","detail":"d"}',
      { type: "run_failed", errorType: "llm_timeout", message: "m", detail: "d", runId: "run-1" },
    ],
  ])("reads %s", (data, expected) => {
    expect(decodeFrame(data)).toEqual(expected);
  });
});

describe("decodeMessage", () => {
  it("reads whole calls from the array and a delta from the object", () => {
    const whole = decodeMessage({
      id: "message-1",
      message_type: "tool_call_message",
      tool_call: { name: "a", arguments: "{}", tool_call_id: "1" },
      tool_calls: [
        { name: "a", arguments: "{}", tool_call_id: "1" },
        { name: "b", arguments: "{}", tool_call_id: "2" },
      ],
    });
    expect(whole.type === "tool_call" && whole.calls.map(({ name, whole: all }) => [name, all])).toEqual([
      ["a", true],
      ["b", true],
    ]);
    const delta = decodeMessage({
      id: "message-1",
      message_type: "approval_request_message",
      tool_call: { name: null, arguments: '{"q"', tool_call_id: "1" },
      tool_calls: { name: null, arguments: '{"q"', tool_call_id: "1" },
    });
    expect(delta.type === "approval_request" && delta.calls).toEqual([
      { toolCallId: "1", name: null, arguments: '{"q"', whole: false },
    ]);
  });

  it("reads returns from the list, and from the older form", () => {
    const older = decodeMessage({
      message_type: "tool_return_message",
      tool_return: "x",
      status: "error",
      tool_call_id: "1",
      stdout: ["o"],
      stderr: null,
    });
    expect(older.type === "tool_return" && older.returns).toEqual([
      { toolCallId: "1", status: "error", text: "x", stdout: ["o"], stderr: [] },
    ]);
  });

  it("reads text and pictures out of content parts", () => {
    const message = decodeMessage({
      message_type: "user_message",
      content: [
        { type: "text", text: "a" },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AA" } },
        { type: "image", source: { type: "url", url: "https://example.org/x.png" } },
        { type: "surprise" },
      ],
    });
    expect(message).toMatchObject({
      type: "user",
      text: "a",
      pictures: [
        { kind: "data", src: "data:image/png;base64,AA" },
        { kind: "link", url: "https://example.org/x.png" },
      ],
    });
  });

  it.each([
    null,
    3,
    "x",
    [],
    {},
    { message_type: "holo_message", id: 7 },
    { message_type: "tool_call_message" },
    {
      message_type: "tool_return_message",
      tool_returns: [null, 3],
    },
    { message_type: "approval_response_message", approvals: "x" },
  ])("does not throw on %j", (json) => {
    expect(() => decodeMessage(json)).not.toThrow();
  });

  it("keeps what it does not know", () => {
    expect(decodeMessage({ message_type: "holo_message", id: "message-1", x: 1 })).toMatchObject({
      type: "unknown",
      messageType: "holo_message",
      raw: expect.stringContaining('"x": 1'),
    });
  });
});

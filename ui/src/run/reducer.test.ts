import { describe, expect, it } from "vitest";
import { call, END, numbered, returned, wire } from "@/test/wire";
import { decodeFrame, decodeMessage, type Message } from "./events";
import { IDLE, type RunAction, type RunState, reduce, storedKeys } from "./reducer";

const event = (json: unknown, at = 0): RunAction => ({
  type: "event",
  event: decodeFrame(JSON.stringify(json)),
  at,
});
const run = (events: unknown[], from: RunState = { ...IDLE, phase: "sending" }) =>
  events.reduce<RunState>((state, json, at) => reduce(state, event(json, at)), from);
const own: Message = {
  ...decodeMessage({ message_type: "user_message", content: "hi", otid: "mine" }),
  id: "",
};

const TOKENS = numbered([
  wire("reasoning", "a", { reasoning: "I " }),
  wire("reasoning", "a", { reasoning: "think" }),
  wire("assistant", "a", { content: "Hel" }),
  wire("assistant", "a", { content: "lo" }),
  wire("tool_call", "a", { tool_call: call("c1", "", "look"), tool_calls: call("c1", "", "look") }),
  wire("tool_call", "a", { tool_call: call("c1", '{"q":'), tool_calls: call("c1", '{"q":') }),
  wire("tool_call", "a", { tool_call: call("c2", "{}", "see"), tool_calls: call("c2", "{}", "see") }),
  wire("tool_call", "a", { tool_call: call("c1", "1}"), tool_calls: call("c1", "1}") }),
  wire("tool_return", "b", { tool_returns: [returned("c1", "one"), returned("c2", "two")] }),
  wire("assistant", "c", { content: "Done" }),
]);

const told = ({ live }: RunState) =>
  live.map(({ message }) => {
    switch (message.type) {
      case "assistant":
      case "reasoning":
      case "user":
        return `${message.type}: ${message.text}`;
      case "tool_call":
      case "approval_request":
        return `${message.type}: ${message.calls.map((one) => `${one.toolCallId} ${one.name} ${one.arguments}`).join("; ")}`;
      default:
        return message.type;
    }
  });

const WHOLE = [
  "reasoning: I think",
  "assistant: Hello",
  'tool_call: c1 look {"q":1}; c2 see {}',
  "tool_return",
  "assistant: Done",
];

describe("a token stream", () => {
  it("puts pieces together by message and by call", () => {
    const state = run([...TOKENS, ...END]);
    expect(told(state)).toEqual(WHOLE);
    expect(state).toMatchObject({
      phase: "running",
      runId: "run-1",
      lastSeq: 11,
      stopReason: "end_turn",
      failure: null,
    });
    expect(state.usage?.totalTokens).toBe(2);
  });

  it("gives the same wherever it is cut and resumed, with any overlap", () => {
    for (let cut = 0; cut <= TOKENS.length; cut += 1) {
      for (const overlap of [0, 1, TOKENS.length]) {
        const before = reduce(run(TOKENS.slice(0, cut)), { type: "stream_cut" });
        const state = run([...TOKENS.slice(Math.max(0, cut - overlap)), ...END], before);
        expect(told(state), `cut at ${cut}, overlap ${overlap}`).toEqual(WHOLE);
      }
    }
  });

  it("does not change an earlier state", () => {
    const states: RunState[] = [{ ...IDLE, phase: "sending" }];
    for (const json of TOKENS) states.push(reduce(states.at(-1) ?? IDLE, event(json)));
    const shapes = states.map((state) => JSON.stringify(state));
    run(TOKENS);
    expect(states.map((state) => JSON.stringify(state))).toEqual(shapes);
    expect(told(states[4] ?? IDLE)).toEqual(["reasoning: I think", "assistant: Hel"]);
  });
});

describe("a step stream", () => {
  it("takes each message once, and a repeated whole call as the same", () => {
    const whole = wire("approval_request", "a", {
      tool_call: call("c1", "{}", "look"),
      tool_calls: [call("c1", "{}", "look"), call("c2", "{}", "see")],
    });
    const state = run([wire("assistant", "a", { content: "Hi" }), whole, whole]);
    expect(told(state)).toEqual(["assistant: Hi", "approval_request: c1 look {}; c2 see {}"]);
  });
});

describe("a run", () => {
  it("keeps what the person sent in front until it is stored", () => {
    let state = reduce(IDLE, { type: "submitted", message: own, at: 0 });
    expect(state.phase).toBe("sending");
    state = run(TOKENS.slice(0, 4), state);
    expect(told(state)[0]).toBe("user: hi");
    const stored = storedKeys([decodeMessage(wire("user", "u", { content: "hi", otid: "mine" }))]);
    expect(told(reduce(state, { type: "settled", stored }))[0]).toBe("reasoning: I think");
  });

  it("sends the same message again in the place of the first attempt", () => {
    let state = reduce(IDLE, { type: "submitted", message: own, at: 0 });
    state = reduce(state, {
      type: "failed",
      failure: { fault: "network", code: null, message: "m", detail: null },
    });
    expect(state).toMatchObject({ phase: "idle", failure: { fault: "network" } });
    state = reduce(state, { type: "submitted", message: own, at: 1 });
    expect(state.live).toHaveLength(1);
    expect(state.failure).toBeNull();
  });

  it("tells the model's failures from ours", () => {
    const failed = (errorType: string) =>
      run([{ message_type: "error_message", error_type: errorType, message: "m", detail: null }]).failure
        ?.fault;
    expect(failed("llm_rate_limit")).toBe("model");
    expect(failed("internal_error")).toBe("loci");
  });

  it("stops only when something runs", () => {
    expect(reduce(IDLE, { type: "stop_asked" }).phase).toBe("idle");
    const stopping = reduce(run(TOKENS.slice(0, 3)), { type: "stop_asked" });
    expect(run(TOKENS.slice(3, 5), stopping).phase).toBe("stopping");
  });

  it("survives what it does not know", () => {
    const state = run([
      { message_type: "holo_message", id: "message-x" },
      7,
      "x",
      null,
      { message_type: "ping" },
    ]);
    expect(state.live.map(({ message }) => message.type)).toEqual(["unknown"]);
  });
});

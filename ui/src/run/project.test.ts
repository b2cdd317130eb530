import { describe, expect, it } from "vitest";
import { told } from "@/test/told";
import { call, numbered, returned, wire } from "@/test/wire";
import { decodeFrame, decodeMessage } from "./events";
import { isAlike, isQuiet, type Progress, project } from "./project";
import { IDLE, type LiveMessage, type RunState, reduce } from "./reducer";

const QUIET: Progress = { active: false, waiting: new Set() };
const ACTIVE: Progress = { active: true, waiting: new Set() };
const stored = (...messages: unknown[]) => messages.map(decodeMessage);
const live = (events: unknown[]): LiveMessage[] =>
  events.reduce<RunState>(
    (state, json, at) =>
      reduce(state, { type: "event", event: decodeFrame(JSON.stringify(json)), at: at * 100 }),
    IDLE,
  ).live;

const HISTORY = [
  wire("system", "s", { content: "You are" }),
  wire("user", "u", { content: "hi", step_id: null }),
  wire("reasoning", "a", { reasoning: "hm" }),
  wire("assistant", "a", { content: "One moment" }),
  wire("tool_call", "a", { tool_calls: [call("c1", '{"q":1}', "look"), call("c2", "{}", "see")] }),
  wire("tool_return", "b", {
    step_id: "step-a",
    date: "2026-01-01T10:00:03+00:00",
    tool_returns: [returned("c1", "one"), returned("c2", "no", "error")],
  }),
  wire("assistant", "c", { content: "Done" }),
];

describe("stored history", () => {
  it("becomes turns of parts, each return beside its call, without the system message", () => {
    const turns = project(stored(...HISTORY), [], QUIET);
    expect(told(turns)).toEqual([
      "user: hi",
      ["reasoning: hm", "text: One moment", 'look({"q":1}) succeeded one', "see({}) failed no"],
      ["text: Done"],
    ]);
    expect(
      turns[1]?.role === "agent" &&
        turns[1].parts.map((part) => (part.type === "tool" ? part.duration : null)),
    ).toEqual([null, null, 3000, 3000]);
  });

  it("shows each message once where pages overlap", () => {
    expect(told(project(stored(...HISTORY.slice(0, 4), ...HISTORY), [], QUIET))).toEqual(
      told(project(stored(...HISTORY), [], QUIET)),
    );
  });

  it("tells waiting, denied, interrupted and answered requests apart", () => {
    const request = wire("approval_request", "a", { tool_calls: [call("c1", "{}", "read")] });
    const states = (messages: unknown[], progress = QUIET) =>
      project(stored(...messages), [], progress).flatMap((turn) =>
        turn.role === "agent"
          ? turn.parts.map((part) => (part.type === "tool" ? part.state : part.type))
          : [],
      );
    const denial = wire("approval_response", "d", {
      approvals: [{ type: "approval", tool_call_id: "c1", approve: false }],
    });
    expect(states([request])).toEqual(["interrupted"]);
    expect(states([request], { active: false, waiting: new Set(["c1"]) })).toEqual(["waiting"]);
    expect(states([request], { active: false, waiting: new Set(["c1"]), running: new Set(["c1"]) })).toEqual([
      "running",
    ]);
    expect(states([request], ACTIVE)).toEqual(["running"]);
    expect(states([request, denial])).toEqual(["denied"]);
    expect(
      states([
        request,
        denial,
        wire("tool_return", "e", { tool_returns: [returned("c1", "Error", "error")] }),
      ]),
    ).toEqual(["denied"]);
    expect(
      states([request, wire("approval_response", "d", { approvals: [returned("c1", "text")] })]),
    ).toEqual(["succeeded"]);
  });

  it("shows summaries, events, unknown kinds and returns without a call", () => {
    const turns = project(
      stored(
        wire("summary", "s", { summary: "before" }),
        wire("event", "e", { event_type: "compaction" }),
        wire("holo", "h"),
        wire("tool_return", "t", { name: "look", tool_returns: [returned("gone", "x")] }),
      ),
      [],
      QUIET,
    );
    expect(told(turns)).toEqual([
      "summary: before",
      "event: compaction",
      ["unknown holo_message"],
      ["look() succeeded x"],
    ]);
  });

  it("marks what was not finished", () => {
    const turns = project(stored(wire("assistant", "a", { content: "Hal", is_err: true })), [], QUIET);
    expect(turns[0]).toMatchObject({ role: "agent", failed: true });
  });
});

describe("a live run", () => {
  const events = numbered([
    wire("assistant", "x", { content: "Let me " }),
    wire("assistant", "x", { content: "look" }),
    wire("tool_call", "x", { tool_call: call("c9", '{"p"', "look"), tool_calls: call("c9", '{"p"', "look") }),
  ]);

  it("comes after what is stored, and its last part is alive", () => {
    const turns = project(stored(...HISTORY), live(events), ACTIVE);
    expect(told(turns).at(-1)).toEqual(["text: Let me look", 'look({"p") writing -']);
    expect(isQuiet(turns.at(-1))).toBe(false);
  });

  it("becomes the same once it is stored, whichever came first", () => {
    const whole = [
      wire("assistant", "x", { content: "Let me look" }),
      wire("tool_call", "x", { tool_calls: [call("c9", '{"p":1}', "look")] }),
    ];
    const both = told(project(stored(...HISTORY, ...whole), live(events), ACTIVE));
    expect(both).toEqual(told(project(stored(...HISTORY, ...whole), [], ACTIVE)));
  });

  it("measures a call from its last piece to its return", () => {
    const turns = project(
      [],
      live([...events, { ...wire("tool_return", "y", { tool_returns: [returned("c9", "r")] }), seq_id: 9 }]),
      ACTIVE,
    );
    expect(turns[0]).toMatchObject({ parts: [{}, { state: "succeeded", duration: 100 }] });
    expect(isQuiet(turns.at(-1))).toBe(true);
  });

  it("gives every row a key of its own", () => {
    const again = { ...wire("assistant", "a", { content: "more" }), id: "message-z", otid: "z" };
    const keys = project(
      stored(...HISTORY, wire("user", "v", { content: "?" }), again),
      live(events),
      ACTIVE,
    ).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("a long conversation", () => {
  const many = stored(
    ...Array.from({ length: 10_000 }, (_, n) =>
      wire(n % 2 ? "assistant" : "user", `m${n}`, { content: `text ${n}` }),
    ),
  );
  const waiting = new Set<string>();
  const progress = { active: true, waiting };
  const pieces = live(numbered([wire("assistant", "x", { content: "And" })]));

  it("is not gone through again for each piece of a reply", () => {
    const before = project(many, [], progress);
    const after = project(many, pieces, { ...progress });
    expect(before).toHaveLength(10_000);
    expect(after).toHaveLength(10_001);
    expect(after.slice(0, -1).every((turn, at) => turn === before[at])).toBe(true);
    expect(project(many, pieces, progress)[42]).toBe(before[42]);
  });

  it("is gone through again when what waits for a person changes", () => {
    const asked = stored(wire("approval_request", "q", { tool_calls: [call("c1", "{}", "read")] }));
    expect(told(project(asked, [], { active: false, waiting }))).toEqual([["read({}) interrupted -"]]);
    expect(told(project(asked, [], { active: false, waiting: new Set(["c1"]) }))).toEqual([
      ["read({}) waiting -"],
    ]);
  });
});

describe("what arrives for stored steps", () => {
  const asked = stored(
    wire("user", "u", { content: "hi", step_id: null }),
    wire("approval_request", "a", { tool_calls: [call("c1", "{}", "read"), call("c2", "{}", "see")] }),
  );
  const later = live(
    numbered([
      wire("tool_return", "b", { step_id: "step-a", tool_returns: [returned("c1", "one")] }),
      wire("assistant", "c", { step_id: "step-a", content: "Done" }),
    ]),
  );

  it("is shown there, and what was stored stays as it was", () => {
    const before = project(asked, [], QUIET);
    const shape = JSON.stringify(before);
    expect(told(project(asked, later, ACTIVE))).toEqual([
      "user: hi",
      ["read({}) succeeded one", "see({}) running -", "text: Done"],
    ]);
    expect(JSON.stringify(before)).toBe(shape);
    expect(told(project(asked, [], QUIET))).toEqual(told(before));
  });

  it("is the same row as long as it shows the same", () => {
    const [first, second] = [project(asked, later, ACTIVE), project(asked, later, ACTIVE)];
    expect(first[1]).not.toBe(second[1]);
    expect(first.every((turn, at) => isAlike(turn, second[at] as (typeof second)[number]))).toBe(true);
    const more = project(
      asked,
      live(numbered([wire("assistant", "c", { step_id: "step-a", content: "Do" })])),
      ACTIVE,
    );
    expect(isAlike(first[1] as (typeof first)[number], more[1] as (typeof more)[number])).toBe(false);
  });
});

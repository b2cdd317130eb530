import { expect, it, vi } from "vitest";
import { createApi } from "@/api/client";
import { answer, fakeTransport } from "@/test/fake-transport";
import { call, frame, numbered, returned, wire } from "@/test/wire";
import { decodeMessage } from "./events";
import { project } from "./project";
import { createRunSession } from "./session";

const REQUEST = wire("approval_request", "a", { tool_calls: [call("c1", "{}", "read")] });
const CALL = wire("tool_call", "b", { tool_calls: [call("c2", "{}", "look")] });
const RETURN = wire("tool_return", "c", {
  date: "2026-01-01T10:05:00+00:00",
  tool_returns: [returned("c1", "one"), returned("c2", "two")],
});

it("a call's time runs from when it was written, or allowed, to its result, and outlives the live run", async () => {
  let clock = 0;
  const session = createRunSession({
    api: createApi(
      fakeTransport(({ path }) => {
        clock += 1000;
        const events = path.endsWith("/answer") ? [RETURN, RETURN] : [CALL, REQUEST];
        return answer(200, [...numbered(events), "[DONE]"].map((event) => frame(event as never)).join(""));
      }),
    ),
    thread: { agentId: "agent-1", conversationId: null },
    onNotice: () => {},
    now: () => clock,
  });
  const idle = () =>
    new Promise<void>((resolve) => {
      const look = () => session.getState().phase === "idle" && resolve();
      session.subscribe(look);
    });
  session.send("hi", []);
  await idle();
  clock = 60_000;
  session.answer({
    messageId: "m",
    conversationId: null,
    decisions: [{ tool_call_id: "c1", decision: "allow" }],
    runHere: [],
  });
  await idle();
  expect(Object.fromEntries(session.callTimes())).toEqual({
    c1: { began: 60_000, took: 1000 },
    c2: { began: 1000, took: 60_000 },
  });

  const stored = [CALL, REQUEST, RETURN].map(decodeMessage);
  const durations = (times = session.callTimes()) =>
    project(stored, [], { active: false, waiting: new Set(), times }).flatMap((turn) =>
      turn.role === "agent" ? turn.parts.map((part) => part.type === "tool" && part.duration) : [],
    );
  expect(durations()).toEqual([60_000, 1000]);
  // Without having seen it, the dates tell the one that ran at once, and nothing of the one that was asked about.
  expect(durations(new Map())).toEqual([300_000, null]);
});

it.each([
  [["c1"], { c1: { began: 1000, took: 250 } }],
  // Of several nobody can tell which took how long.
  [["c1", "c2"], { c1: { began: 1000, took: null }, c2: { began: 1000, took: null } }],
])("calls of this machine have run when the answer goes on: %j", async (runHere, times) => {
  let now = 1000;
  const transport = fakeTransport(() => {
    now = 1250;
    return answer(200, frame("[DONE]" as never));
  });
  const session = createRunSession({
    api: createApi(transport),
    thread: { agentId: "agent-1", conversationId: null },
    onNotice: () => {},
    now: () => now,
  });
  session.answer({
    messageId: "message-1",
    conversationId: null,
    decisions: runHere.map((tool_call_id) => ({ tool_call_id, decision: "allow" })),
    runHere,
  });
  await vi.waitFor(() => expect(session.getState().phase).toBe("idle"));
  expect(Object.fromEntries(session.callTimes())).toEqual(times);
});

it("a call that runs says since when", () => {
  const times = new Map([["c2", { began: 5, took: null }]]);
  const [turn] = project([decodeMessage(CALL)], [], { active: true, waiting: new Set(), times });
  expect(turn?.role === "agent" && turn.parts[0]).toMatchObject({
    state: "running",
    since: 5,
    duration: null,
  });
});

import { describe, expect, it, vi } from "vitest";
import { createApi } from "@/api/client";
import { answer, type FakeRequest, fakeTransport, openBody } from "@/test/fake-transport";
import { END, frame, numbered, returned, wire } from "@/test/wire";
import { TransportError, type TransportResponse } from "@/transport";
import { createRunSession, type RunNotice } from "./session";

type Serve = (request: FakeRequest, nth: number) => TransportResponse | Promise<TransportResponse>;

function start(serve: Serve) {
  const transport = fakeTransport((request) => serve(request, transport.seen.length));
  const notices: RunNotice[] = [];
  const session = createRunSession({
    api: createApi(transport),
    thread: { agentId: "agent-1", conversationId: null },
    onNotice: (notice) => notices.push(notice),
    delay: () => 0,
  });
  const idle = () => vi.waitFor(() => expect(session.getState().phase).toBe("idle"));
  const texts = () =>
    session
      .getState()
      .live.flatMap(({ message }) => ("text" in message ? [`${message.type}: ${message.text}`] : []));
  return { session, transport, notices, idle, texts };
}

const sse = (events: unknown[], done = true) => ({
  ...answer(
    200,
    events.map((event) => frame(event as object as Record<string, unknown>)).join("") +
      (done ? frame("[DONE]") : ""),
  ),
});

const REPLY = numbered([
  wire("assistant", "a", { content: "Hel" }),
  wire("assistant", "a", { content: "lo" }),
  wire("tool_return", "b", { tool_returns: [returned("c1", "x")] }),
]);

describe("sending", () => {
  it("asks for a background token stream with an otid and the client tools, and follows it to its end", async () => {
    const { session, transport, notices, idle, texts } = start(() => sse([...REPLY, ...END]));
    const tool = { name: "read_file", description: null, parameters: {} };
    expect(session.send("hi", [tool])).toBe(true);
    expect(session.getState().phase).toBe("sending");
    await idle();
    expect(transport.seen).toHaveLength(1);
    expect(transport.seen[0]).toMatchObject({
      method: "POST",
      path: "/v1/agents/agent-1/messages",
      body: {
        messages: [{ role: "user", content: [{ type: "text", text: "hi" }], otid: expect.any(String) }],
        streaming: true,
        stream_tokens: true,
        background: true,
        client_tools: [tool],
      },
    });
    expect(texts()).toEqual(["user: hi", "assistant: Hello"]);
    expect(session.getState()).toMatchObject({ stopReason: "end_turn", failure: null, runId: "run-1" });
    expect(notices).toEqual(["run_started", "tool_returned", "run_ended"]);
  });

  it("refuses a second message while the first is under way", async () => {
    const open = openBody();
    const { session, idle } = start(() => ({ status: 200, headers: new Headers(), body: open.body }));
    expect(session.send("one", [])).toBe(true);
    expect(session.send("two", [])).toBe(false);
    open.write(END.map(frame).join("") + frame("[DONE]"));
    open.end();
    await idle();
  });

  it("says what the server refused, and sends the same message again with the same otid", async () => {
    const { session, transport, idle, texts } = start((_, nth) =>
      nth === 1
        ? answer(401, {
            error: { type: "llm_authentication", message: "The key was refused.", detail: "401" },
          })
        : sse([...REPLY, ...END]),
    );
    session.send("hi", []);
    await idle();
    expect(session.getState().failure).toEqual({
      fault: "model",
      code: "llm_authentication",
      message: "The key was refused.",
      detail: "401",
    });
    session.retry();
    await idle();
    expect(texts()).toEqual(["user: hi", "assistant: Hello"]);
    const otids = transport.seen.map(
      ({ body }) => (body as { messages: [{ otid: string }] }).messages[0].otid,
    );
    expect(otids[0]).toBe(otids[1]);
  });

  it("reports an error frame and does not try to go on after it", async () => {
    const { session, transport, idle } = start(() =>
      sse(
        [
          ...REPLY.slice(0, 2),
          { message_type: "stop_reason", stop_reason: "error" },
          {
            message_type: "error_message",
            error_type: "internal_error",
            message: "broken",
            detail: "d",
            run_id: "run-1",
          },
        ],
        false,
      ),
    );
    session.send("hi", []);
    await idle();
    expect(session.getState().failure).toMatchObject({ fault: "loci", message: "broken" });
    expect(transport.seen).toHaveLength(1);
  });
});

describe("a cut stream", () => {
  it("is picked up after the last number seen, however it was cut", async () => {
    for (const how of ["ends", "breaks"] as const) {
      const { session, transport, idle, texts } = start((_, nth) => {
        if (nth > 1) return sse([...REPLY.slice(2), ...END]);
        const open = openBody();
        open.write(REPLY.slice(0, 2).map(frame).join(""));
        if (how === "ends") open.end();
        // A broken body forgets what was not read yet.
        else setTimeout(() => open.cut(new TransportError("reset")), 20);
        return { status: 200, headers: new Headers(), body: open.body };
      });
      session.send("hi", []);
      await idle();
      expect(transport.seen[1]).toMatchObject({
        path: "/v1/runs/run-1/stream",
        body: { starting_after: 2 },
      });
      expect(texts(), how).toEqual(["user: hi", "assistant: Hello"]);
      expect(session.getState().failure).toBeNull();
    }
  });

  it("is tried again while the server is away, and given up in words in the end", async () => {
    const { session, transport, idle } = start((_, nth) => {
      if (nth === 1) return sse(REPLY.slice(0, 2), false);
      throw new TransportError("The Loci server did not answer.");
    });
    session.send("hi", []);
    await idle();
    expect(transport.seen.length).toBeGreaterThan(5);
    expect(session.getState().failure?.message).toMatch(/could not be picked up/);
  });

  it("is not tried again when the server says the run cannot be followed", async () => {
    const { session, transport, idle } = start((_, nth) =>
      nth === 1 ? sse(REPLY.slice(0, 2), false) : answer(410, { detail: "older than 3 hours" }),
    );
    session.send("hi", []);
    await idle();
    expect(transport.seen).toHaveLength(2);
    expect(session.getState().failure?.message).toBe("older than 3 hours");
  });

  it("before the run is known is a failure, because sending twice is not for this window to decide", async () => {
    const { session, transport, idle } = start(() => {
      throw new TransportError("The Loci server did not answer.");
    });
    session.send("hi", []);
    await idle();
    expect(transport.seen).toHaveLength(1);
    expect(session.getState().failure).toMatchObject({ fault: "network" });
  });
});

describe("other ways into a run", () => {
  it("answers a complete set and follows the turn that continues", async () => {
    const { session, transport, idle, texts } = start(() => sse([...REPLY, ...END]));
    session.answer({
      messageId: "message-9",
      conversationId: "default",
      decisions: [{ tool_call_id: "c1", decision: "deny", reason: "no" }],
      runHere: [],
    });
    await idle();
    expect(transport.seen[0]).toEqual({
      method: "POST",
      path: "/workbench/approvals/message-9/answer",
      body: {
        agent_id: "agent-1",
        conversation_id: "default",
        decisions: [{ tool_call_id: "c1", decision: "deny", reason: "no" }],
      },
    });
    expect(texts()).toEqual(["assistant: Hello"]);
  });

  it("follows a run from its beginning after a restart", async () => {
    const { session, transport, idle, texts } = start(() => sse([...REPLY, ...END]));
    session.follow("run-1");
    await idle();
    expect(transport.seen[0]).toMatchObject({ path: "/v1/runs/run-1/stream", body: { starting_after: 0 } });
    expect(texts()).toEqual(["assistant: Hello"]);
  });

  it("stops by name of the run, and only when one is under way", async () => {
    const open = openBody();
    const { session, transport, idle } = start(({ path }) =>
      path.endsWith("/cancel")
        ? answer(200, { "run-1": "cancelled" })
        : { status: 200, headers: new Headers(), body: open.body },
    );
    await session.stop();
    expect(transport.seen).toHaveLength(0);
    session.send("hi", []);
    open.write(REPLY.slice(0, 2).map(frame).join(""));
    await vi.waitFor(() => expect(session.getState().runId).toBe("run-1"));
    await session.stop();
    expect(session.getState().phase).toBe("stopping");
    expect(transport.seen.at(-1)).toEqual({
      method: "POST",
      path: "/v1/agents/agent-1/messages/cancel",
      body: { run_ids: ["run-1"] },
    });
    open.write(frame({ message_type: "stop_reason", stop_reason: "cancelled" }) + frame("[DONE]"));
    open.end();
    await idle();
    expect(session.getState().stopReason).toBe("cancelled");
  });
});

import { waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { useOutbox } from "@/run/outbox";
import { openBody } from "@/test/fake-transport";
import { showPanel } from "@/test/page";
import { END, frame, numbered, wire } from "@/test/wire";
import { OutboxRunner } from "./outbox-runner";

beforeEach(() => useOutbox.setState({ queued: {}, pictures: {} }));

const whole = (events: object[]) => {
  const open = openBody();
  open.write(events.map((event) => frame(event as never)).join("") + frame("[DONE]"));
  open.end();
  return { status: 200, headers: new Headers(), body: open.body };
};

it("waits for the run that goes on after a restart, then sends to the thread it was written in", async () => {
  let running = true;
  const followed = openBody();
  const send = vi.fn(() => whole([...numbered([wire("assistant", "a", { content: "Yes" })]), ...END]));
  useOutbox.getState().enqueue("agent-1/conv-1", { text: "Next", pictures: [] });
  const { seen } = showPanel(<OutboxRunner />, {
    "GET /workbench/approvals": [{ id: "m", agent_id: "agent-1", conversation_id: null, calls: [] }],
    "GET /workbench/client-tools": { tools: [], folder: null },
    "GET /v1/runs/": () =>
      running ? [{ id: "run-7", agent_id: "agent-1", conversation_id: "conv-1", background: true }] : [],
    "POST /v1/runs/run-7/stream": { status: 200, headers: new Headers(), body: followed.body },
    "POST /v1/conversations/conv-1/messages": send,
  });
  await waitFor(() => expect(seen.some(({ path }) => path === "/v1/runs/run-7/stream")).toBe(true));
  expect(send).not.toHaveBeenCalled();
  running = false;
  followed.write(END.map((event) => frame(event)).join("") + frame("[DONE]"));
  followed.end();
  // The main conversation's approval is another thread's: it holds nothing up here.
  await waitFor(() => expect(send).toHaveBeenCalledOnce());
  expect(useOutbox.getState().queued).toEqual({});
});

it("sends where the server knows no runs and takes no tools of this machine", async () => {
  const send = vi.fn((_: { body: unknown }) => whole([...numbered([]), ...END]));
  useOutbox.getState().enqueue("agent-9", { text: "Next", pictures: [] });
  const lacks = ["runs", "client_tools"].map((feature) => ({ feature, reason: "Not there." }));
  showPanel(<OutboxRunner />, {
    "GET /workbench/status": { connection: "connection-1", version: "0", transport: "http" },
    "GET /workbench/connections": [{ id: "connection-1", selected: true, lacks }],
    "GET /workbench/approvals": [],
    "GET /workbench/client-tools": { tools: [{ name: "read_file" }], folder: null },
    "POST /v1/agents/agent-9/messages": send,
  });
  await waitFor(() => expect(send).toHaveBeenCalledOnce());
  expect(send.mock.calls[0]?.[0].body).not.toHaveProperty("client_tools");
});

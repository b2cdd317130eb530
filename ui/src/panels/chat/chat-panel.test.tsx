import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { useDrafts, useOutbox } from "@/run/outbox";
import type { Thread } from "@/run/thread";
import { openBody } from "@/test/fake-transport";
import { type Routes, refusal, showPanel } from "@/test/page";
import { call, END, frame, numbered, wire } from "@/test/wire";
import { ChatPanel } from "./chat-panel";

// A page without a layout has no room for rows; what is virtual about the list is not what is tested here.
vi.mock("virtua", () => ({
  Virtualizer: ({ data, children }: { data: unknown[]; children: (row: unknown, at: number) => unknown }) =>
    data.map(children),
}));

let agents = 0;
const MAIN = (): Thread => ({ agentId: `agent-${++agents}`, conversationId: null });

const user = (id: string, content: string) => wire("user", id, { content });
const says = (id: string, content: string) => wire("assistant", id, { content });

function show(thread: Thread, more: Routes = {}) {
  const onBranched = vi.fn();
  const messages = `GET /v1/agents/${thread.agentId}/messages`;
  const shown = showPanel(
    <ChatPanel
      thread={thread}
      dock={null}
      composerRef={createRef<HTMLTextAreaElement>() as never}
      sought={null}
      onShown={() => {}}
      onBranched={onBranched}
    />,
    {
      [messages]: [],
      "GET /workbench/approvals": [],
      "GET /workbench/client-tools": { tools: [], folder: null },
      "GET /v1/runs/": [],
      ...more,
    },
  );
  return { ...shown, onBranched };
}

function stream(events: object[]) {
  const open = openBody();
  const write = (more: object[]) => open.write(more.map((event) => frame(event as never)).join(""));
  write(events);
  return {
    response: { status: 200, headers: new Headers(), body: open.body },
    write,
    end: () => {
      open.write(frame("[DONE]"));
      open.end();
    },
  };
}

const box = () => screen.getByRole("textbox", { name: "Message" });

beforeEach(() => {
  useOutbox.setState({ queued: {}, pictures: {} });
  useDrafts.setState({ drafts: {} });
});

describe("the chat", () => {
  it("shows what is stored, and asks for the main conversation only", async () => {
    const thread = MAIN();
    const { seen } = show(thread, {
      [`GET /v1/agents/${thread.agentId}/messages`]: [user("a", "Hello"), says("b", "Good day")],
    });
    expect(await screen.findByText("Good day")).toBeVisible();
    const asked = seen.find(({ path }) => path.includes("/messages?"));
    expect(new URL(asked?.path ?? "", "http://x").searchParams.get("conversation_id")).toBe("default");
  });

  it("turns a conversation's pages round, because they come newest first", async () => {
    show(
      { agentId: "agent-c", conversationId: "conv-1" },
      { "GET /v1/conversations/conv-1/messages": [says("b", "Second"), user("a", "First")] },
    );
    await screen.findByText("Second");
    expect(screen.getAllByRole("article").map(({ textContent }) => textContent?.slice(0, 5))).toEqual([
      "First",
      "Secon",
    ]);
  });

  it("streams a reply, queues what is written meanwhile, and stops", async () => {
    const thread = MAIN();
    const reply = stream(numbered([says("r", "Work")]));
    const { seen } = show(thread, {
      [`POST /v1/agents/${thread.agentId}/messages`]: () => reply.response,
      [`POST /v1/agents/${thread.agentId}/messages/cancel`]: {},
    });
    await userEvent.type(await screen.findByRole("textbox", { name: "Message" }), "Go{Enter}");
    expect(await screen.findByText("Work")).toBeVisible();
    await userEvent.type(box(), "And then{Enter}");
    expect(useOutbox.getState().queued[thread.agentId]).toEqual([{ text: "And then", pictures: [] }]);
    expect(screen.getByText("And then")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Stop" }));
    await waitFor(() => expect(seen.some(({ path }) => path.endsWith("/cancel"))).toBe(true));
    reply.write([{ message_type: "stop_reason", stop_reason: "cancelled" }]);
    reply.end();
    expect(await screen.findByText(/Stopped. What was finished is kept/)).toBeVisible();
  });

  it("says what failed in whose part, and sends the same again", async () => {
    const thread = MAIN();
    const send = vi
      .fn()
      .mockReturnValueOnce(refusal(503, "The key ring is locked."))
      .mockImplementation(() => {
        const again = stream([...numbered([says("r", "There you go")]), ...END]);
        again.end();
        return again.response;
      });
    show(thread, { [`POST /v1/agents/${thread.agentId}/messages`]: send });
    await userEvent.type(await screen.findByRole("textbox", { name: "Message" }), "Go{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("The key ring is locked.");
    await userEvent.click(screen.getByRole("button", { name: "Send again" }));
    expect(await screen.findByText("There you go")).toBeVisible();
    const [first, second] = send.mock.calls.map(([request]) => request.body.messages[0].otid);
    expect(second).toBe(first);
  });

  it("asks again, as a new message, when the first arrived and its run failed", async () => {
    const thread = MAIN();
    const send = vi
      .fn()
      .mockImplementationOnce(({ body }) => {
        const failed = stream([
          ...numbered([wire("user", "u", { content: "Go", otid: body.messages[0].otid })]),
          { message_type: "error_message", error_type: "llm_error", message: "It fell over." },
        ]);
        failed.end();
        return failed.response;
      })
      .mockImplementation(() => {
        const well = stream([...numbered([says("r", "Better now")]), ...END]);
        well.end();
        return well.response;
      });
    show(thread, { [`POST /v1/agents/${thread.agentId}/messages`]: send });
    await userEvent.type(await screen.findByRole("textbox", { name: "Message" }), "Go{Enter}");
    expect(await screen.findByText("The model's server did not deliver")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: /again/ }));
    expect(await screen.findByText("Better now")).toBeVisible();
    const texts = send.mock.calls.map(([request]) => request.body.messages[0].content[0].text);
    expect(texts).toEqual(["Go", "Go"]);
  });

  it("keeps a draft per conversation", async () => {
    const thread = MAIN();
    const { unmount } = show(thread);
    await userEvent.type(await screen.findByRole("textbox", { name: "Message" }), "Half a thou");
    unmount();
    expect(JSON.parse(localStorage.getItem("loci.drafts") ?? "{}").state.drafts).toEqual({
      [thread.agentId]: "Half a thou",
    });
    show(thread);
    expect(await screen.findByRole("textbox", { name: "Message" })).toHaveValue("Half a thou");
  });

  it("tells of a summary and of making room in plain words", async () => {
    const thread = MAIN();
    show(thread, {
      [`GET /v1/agents/${thread.agentId}/messages`]: [
        wire("event", "e", { event_type: "compaction", event_data: {} }),
        wire("summary", "s", { summary: "They spoke of herons." }),
        wire("event", "f", { event_type: "eclipse", event_data: {} }),
      ],
    });
    expect(await screen.findByText(/Making room/)).toBeVisible();
    await userEvent.click(screen.getByText(/Earlier messages were summarised/));
    expect(screen.getByText("They spoke of herons.")).toBeVisible();
    expect(screen.getByText("Event: eclipse")).toBeVisible();
  });
});

describe("edit and branch", () => {
  it("brings the message with its pictures back, and what was being written when it is given up", async () => {
    const thread = MAIN();
    const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0=" } };
    const routes = {
      [`GET /v1/agents/${thread.agentId}/messages`]: [
        wire("user", "a", { content: [{ type: "text", text: "Look" }, picture] }),
        says("b", "I see"),
      ],
    };
    const { unmount } = show(thread, routes);
    await screen.findByText("I see");
    await userEvent.type(box(), "A draft");
    await userEvent.click(screen.getByRole("button", { name: "Edit and branch" }));
    expect(box()).toHaveValue("Look");
    expect(screen.getByRole("button", { name: "Remove picture 1" })).toBeVisible();
    // One can look at another conversation meanwhile.
    unmount();
    show(thread, routes);
    expect(await screen.findByText(/begins a new conversation/)).toBeVisible();
    expect(box()).toHaveValue("Look");
    await userEvent.type(box(), "{Escape}");
    expect(box()).toHaveValue("A draft");
    expect(screen.queryByRole("button", { name: "Remove picture 1" })).toBeNull();
    expect(screen.queryByText(/begins a new conversation/)).toBeNull();
  });

  const history = [user("a", "One"), says("b", "Two"), user("c", "Three"), says("d", "Four")];

  async function edit(thread: Thread, more: Routes) {
    const shown = show(thread, { [`GET /v1/agents/${thread.agentId}/messages`]: history, ...more });
    await screen.findByText("Four");
    await userEvent.click(screen.getAllByRole("button", { name: "Edit and branch" })[1] as HTMLElement);
    expect(box()).toHaveValue("Three");
    expect(screen.getByText(/begins a new conversation/)).toBeVisible();
    await userEvent.type(box(), " and a half{Enter}");
    return shown;
  }

  it("forks before the message and hands the new words to the new conversation", async () => {
    const thread = MAIN();
    const { seen, onBranched } = await edit(thread, {
      "POST /v1/conversations/default/fork": { id: "conv-9", agent_id: thread.agentId },
      // Copies have ids of their own.
      "GET /v1/conversations/conv-9/messages": [says("y", "Two"), user("x", "One")],
      "PATCH /v1/conversations/conv-9": {},
    });
    await waitFor(() => expect(onBranched).toHaveBeenCalledWith("conv-9"));
    const fork = seen.find(({ path }) => path.includes("/fork"));
    expect(new URL(fork?.path ?? "", "http://x").searchParams.get("message_id")).toBe("message-b");
    expect(seen.find(({ method }) => method === "PATCH")?.body).toEqual({ summary: "Three and a half" });
    expect(useOutbox.getState().queued[`${thread.agentId}/conv-9`]).toEqual([
      { text: "Three and a half", pictures: [] },
    ]);
  });

  it("sends what was written although one looks at another conversation meanwhile", async () => {
    const thread = MAIN();
    let fork = () => {};
    const forked = new Promise<void>((done) => {
      fork = done;
    });
    const { unmount, onBranched } = await edit(thread, {
      "POST /v1/conversations/default/fork": async () => {
        await forked;
        return { id: "conv-8", agent_id: thread.agentId };
      },
      "GET /v1/conversations/conv-8/messages": [says("y", "Two"), user("x", "One")],
      "PATCH /v1/conversations/conv-8": {},
    });
    unmount();
    fork();
    await waitFor(() =>
      expect(useOutbox.getState().queued[`${thread.agentId}/conv-8`]).toEqual([
        { text: "Three and a half", pictures: [] },
      ]),
    );
    expect(onBranched).not.toHaveBeenCalled();
  });

  it("takes back a fork that copied more than it should, and loses no word", async () => {
    const thread = MAIN();
    const { seen, onBranched } = await edit(thread, {
      "POST /v1/conversations/default/fork": { id: "conv-9", agent_id: thread.agentId },
      "GET /v1/conversations/conv-9/messages": [says("z", "Four"), user("y", "Three")],
      "DELETE /v1/conversations/conv-9": null,
    });
    expect(await screen.findByRole("alert")).toHaveTextContent(/cannot begin a conversation in the middle/);
    expect(seen.some(({ method }) => method === "DELETE")).toBe(true);
    expect(onBranched).not.toHaveBeenCalled();
    expect(box()).toHaveValue("Three and a half");
  });

  it("shows what a call on this machine says while it runs, and stops it when asked", async () => {
    const thread: Thread = { agentId: "agent-live", conversationId: "conv-1" };
    const asked = wire("approval_request", "q", {
      tool_call: call("call-1", '{"command":"make"}', "run_command"),
    });
    let running = [
      {
        message_id: "message-q",
        tool_call_id: "call-1",
        agent_id: "agent-live",
        conversation_id: "conv-1",
        tool: "run_command",
        started_at: "2026-01-01T10:00:00Z",
      },
      { tool_call_id: "call-9", agent_id: "agent-live", conversation_id: null, tool: "fetch_url" },
    ];
    const output = openBody();
    const { seen } = show(thread, {
      "GET /v1/conversations/conv-1/messages": [asked],
      // The inbox lets go of it only when the turn goes on.
      "GET /workbench/approvals": [
        { id: "m", agent_id: "agent-live", conversation_id: "conv-1", calls: [{ tool_call_id: "call-1" }] },
      ],
      "GET /workbench/client-calls": () => running,
      "GET /workbench/client-calls/call-1/output": {
        status: 200,
        headers: new Headers(),
        body: output.body,
      },
      "POST /workbench/client-calls/call-1/stop": null,
    });
    output.write(frame({ text: "compiling\n" }));
    const live = await screen.findByRole("region", { name: "Output of run_command so far" });
    expect(await within(live).findByText(/compiling/)).toBeVisible();
    expect(screen.getByTestId("tool-call")).toHaveAttribute("data-state", "running");
    output.write(frame({ text: `${"x".repeat(20_000)}linking` }));
    expect(await within(live).findByText(/linking/)).not.toHaveTextContent("compiling");
    expect(within(live).getByText("Earlier output is left out here.")).toBeVisible();
    expect(seen.some(({ path }) => path.endsWith("/stop"))).toBe(false);
    running = [];
    await userEvent.click(within(live).getByRole("button", { name: "Stop run_command" }));
    await waitFor(() => expect(live).not.toBeInTheDocument());
    expect(seen.some(({ path }) => path === "/workbench/client-calls/call-1/stop")).toBe(true);
  });

  it("says why a running call could not be stopped", async () => {
    const thread: Thread = { agentId: "agent-live-2", conversationId: null };
    const asked = wire("approval_request", "q", { tool_call: call("call-2", "{}", "run_command") });
    show(thread, {
      [`GET /v1/agents/${thread.agentId}/messages`]: [asked],
      "GET /workbench/client-calls": [
        {
          message_id: "message-q",
          tool_call_id: "call-2",
          agent_id: "agent-live-2",
          conversation_id: null,
          tool: "run_command",
        },
      ],
      "GET /workbench/client-calls/call-2/output": () => ({
        status: 200,
        headers: new Headers(),
        body: openBody().body,
      }),
      "POST /workbench/client-calls/call-2/stop": refusal(500, "It does not end."),
    });
    await userEvent.click(await screen.findByRole("button", { name: "Stop run_command" }));
    expect(await screen.findByText("It does not end.")).toBeVisible();
    expect(screen.getByText("No output yet")).toBeVisible();
    expect(screen.getByRole("button", { name: "Stop run_command" })).toBeEnabled();
  });

  it("says after a restart why a message was never answered, and asks it again", async () => {
    const thread = MAIN();
    const { seen } = show(thread, {
      [`GET /v1/agents/${thread.agentId}/messages`]: [user("a", "Hello?")],
      "GET /v1/runs/": ({ path }: { path: string }) =>
        path.includes("active=true")
          ? []
          : [
              {
                id: "run-9",
                status: "failed",
                conversation_id: null,
                metadata: { error: { error_type: "budget_exceeded", message: "It is used up." } },
              },
            ],
      [`POST /v1/agents/${thread.agentId}/messages`]: () => stream(END).response,
    });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("A budget is used up");
    expect(alert).toHaveTextContent("It is used up.");
    await userEvent.click(within(alert).getByRole("button", { name: "Ask again" }));
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "POST")?.body).toMatchObject({
        messages: [{ content: [{ type: "text", text: "Hello?" }] }],
      }),
    );
  });

  it("greys what the server cannot do, with the reason within reach", async () => {
    const thread = MAIN();
    show(thread, {
      "GET /workbench/status": { connection: "connection-1", version: "0", transport: "http" },
      "GET /workbench/connections": [
        {
          id: "connection-1",
          name: "Office",
          selected: true,
          lacks: [{ feature: "conversation_fork", reason: "Office does not offer branching." }],
        },
      ],
      [`GET /v1/agents/${thread.agentId}/messages`]: [user("a", "Hello"), says("b", "Good day")],
    });
    const edit = await screen.findByRole("button", { name: "Edit and branch" });
    await waitFor(() => expect(edit).toHaveAttribute("aria-disabled", "true"));
    expect(edit).toHaveAccessibleDescription("Office does not offer branching a conversation.");
    await userEvent.click(edit);
    expect(screen.queryByText(/begins a new conversation/)).toBeNull();
  });

  it("says when a run could not be stopped, and lets one try again", async () => {
    const thread = MAIN();
    const reply = stream(numbered([says("b", "Long")]));
    show(thread, {
      [`POST /v1/agents/${thread.agentId}/messages`]: () => reply.response,
      [`POST /v1/agents/${thread.agentId}/messages/cancel`]: refusal(500, "Not now."),
    });
    await userEvent.type(box(), "Hi{Enter}");
    await userEvent.click(await screen.findByRole("button", { name: "Stop" }));
    expect(await screen.findByText("It could not be stopped")).toBeVisible();
    expect(screen.getByText("Not now.")).toBeVisible();
    expect(screen.getByRole("button", { name: "Stop" })).toBeEnabled();
    reply.end();
  });
});

it("is read out sentence by sentence as it streams, and the old is not", async () => {
  const thread = MAIN();
  const reply = stream(numbered([says("r", "First here. Then ha")]));
  show(thread, {
    [`GET /v1/agents/${thread.agentId}/messages`]: [user("a", "Before"), says("b", "An old answer.")],
    [`POST /v1/agents/${thread.agentId}/messages`]: () => reply.response,
  });
  await screen.findByText("An old answer.");
  const log = screen.getByRole("log", { name: "Reply" });
  await userEvent.type(box(), "Go{Enter}");
  await waitFor(() => expect(log).toHaveTextContent("First here."));
  expect(log).not.toHaveTextContent("Then ha");
  reply.write([...END]);
  reply.end();
  await waitFor(() => expect(log.textContent).toBe("First here.Then ha"));
});

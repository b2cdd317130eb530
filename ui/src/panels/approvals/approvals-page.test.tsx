import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Approval } from "@/api/approvals";
import { type Routes, refusal, showPanel } from "@/test/page";
import { ApprovalDock } from "./approval-dock";
import { ApprovalsPage } from "./approvals-page";

const ask = { effect: "ask" as const, rule_id: null, because: { message: "No rule speaks of it." } };

const WAITING: Approval = {
  id: "message-1",
  connection: "local",
  agent_id: "agent-1",
  agent_name: "Mercury",
  conversation_id: "conv-1",
  created_at: "2026-01-01T10:00:00Z",
  expires_at: null,
  calls: [
    {
      tool_call_id: "c1",
      name: "run_command",
      arguments: '{"command":"git status"}',
      kind: "client",
      hash: "h1",
      verdict: ask,
      detail: {
        type: "command",
        command: "git status",
        folder: "/home/ada/work",
        confinement: { message: "no network" },
      },
      suggestions: [{ text: "git status*", matches: {} }],
    },
  ],
};

const RULE = {
  id: "rule-1",
  effect: "allow",
  text: "allow run_command(git status*) everywhere",
  scope: { type: "everywhere" },
  matches: { type: "pattern", tool: "run_command", arguments: [{ matches: "git status*" }] },
  agent_name: null,
  sentence:
    "Loci will run without asking: run_command when what it is about matches git status*, for every agent until you revoke this.",
  note: null,
  created_at: "2026-01-01T10:00:00Z",
  revoked_at: null,
  uses: 3,
  last_used_at: null,
  problem: null,
};
const REHEARSAL = { ...RULE, of: 200, matched: 37, calls: [] };

const ENTRY = {
  sequence: 7,
  at: "2026-01-01T10:00:00Z",
  event: "decided",
  connection: "local",
  agent_id: "agent-1",
  conversation_id: null,
  message_id: "message-0",
  tool_call_id: "c0",
  tool: "write_file",
  kind: "client",
  outcome: "deny",
  decided_by: "person",
  rule_id: null,
  reason: "Not there.",
  hash: "abc",
  arguments: '{"path":"notes.md"}',
  original_arguments: null,
  confinement: null,
};

function show(more: Routes = {}) {
  const onOpen = vi.fn();
  const shown = showPanel(<ApprovalsPage onOpen={onOpen} />, {
    "GET /workbench/approvals": [WAITING],
    "GET /workbench/rules": [RULE],
    "GET /workbench/audit": [ENTRY],
    "GET /v1/agents/": [{ id: "agent-1", name: "Mercury", blocks: [] }],
    "POST /workbench/rules/rehearse": REHEARSAL,
    "POST /workbench/approvals/message-1/answer": refusal(409, "It waits no longer."),
    ...more,
  });
  return { ...shown, onOpen };
}

const press = (name: string | RegExp, within_: HTMLElement = document.body) =>
  userEvent.click(within(within_).getByRole("button", { name }));

describe("the inbox", () => {
  it("shows what waits anywhere, and leads to its conversation", async () => {
    const { onOpen } = show();
    const card = await screen.findByRole("alertdialog", { name: "Mercury asks to use a tool" });
    expect(within(card).getAllByText("git status", { selector: "pre" })[0]).toBeVisible();
    expect(within(card).getByText("/home/ada/work")).toBeVisible();
    await press("Open the conversation with Mercury");
    expect(onOpen).toHaveBeenCalledExactlyOnceWith("agent-1", "conv-1");
  });

  it("leaves out what asks nobody, and says on which server the others are", async () => {
    const elsewhere = { ...WAITING, id: "message-2", connection: "connection-1", agent_name: "Venus" };
    show({
      "GET /workbench/approvals": [{ ...WAITING, answering: true }, elsewhere],
      "GET /workbench/connections": [{ id: "connection-1", name: "Lab" }],
    });
    const card = await screen.findByRole("alertdialog", { name: "Venus asks to use a tool" });
    expect(card).toBeVisible();
    expect(screen.getAllByRole("alertdialog")).toHaveLength(1);
    expect(await screen.findByText(/Lab/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Open the conversation with Venus" })).toHaveAttribute(
      "aria-disabled",
    );
  });

  it("sends the decision with its hash, and says what the server refuses", async () => {
    const { seen } = show();
    await screen.findByRole("alertdialog");
    await press("Allow once");
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/answer"))?.body).toEqual({
        agent_id: "agent-1",
        conversation_id: "conv-1",
        decisions: [{ tool_call_id: "c1", hash: "h1", decision: "allow" }],
      }),
    );
    expect(await screen.findByText("It waits no longer.")).toBeVisible();
  });

  it("remembers only what it has said in a sentence and rehearsed", async () => {
    const { seen } = show();
    await screen.findByRole("alertdialog");
    await press("Allow …");
    const form = screen.getByRole("form", { name: "Allow from now on" });
    await userEvent.selectOptions(within(form).getByRole("combobox", { name: "What" }), "pattern");
    await userEvent.selectOptions(within(form).getByRole("combobox", { name: "Where" }), "everywhere");
    expect(within(form).getByRole("combobox", { name: "Pattern" })).toHaveValue("git status*");
    expect(within(form).getByRole("button", { name: "Allow and remember" })).toBeDisabled();
    expect(await within(form).findByText(RULE.sentence)).toBeVisible();
    expect(within(form).getByText("Would have matched 37 of the last 200 calls")).toBeVisible();
    await press("Allow and remember", form);
    const remember = { scope: "everywhere", what: "pattern", pattern: "git status*" };
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/answer"))?.body).toMatchObject({
        decisions: [{ tool_call_id: "c1", hash: "h1", decision: "allow", remember }],
      }),
    );
    expect(seen.findLast(({ path }) => path.endsWith("/rehearse"))?.body).toEqual({
      effect: "allow",
      remember,
      message_id: "message-1",
      tool_call_id: "c1",
    });
  });

  it("takes Alt and a digit for the choices, and Escape for none", async () => {
    const { seen } = show();
    const card = await screen.findByRole("alertdialog");
    card.focus();
    await userEvent.keyboard("{Escape}");
    expect(card).not.toHaveFocus();
    card.focus();
    await userEvent.keyboard("{Alt>}4{/Alt}");
    expect(await screen.findByRole("textbox", { name: /Why not/ })).toHaveFocus();
    expect(seen.some(({ path }) => path.endsWith("/answer"))).toBe(false);
  });
});

describe("the dock", () => {
  const dangerous: Approval = {
    ...WAITING,
    conversation_id: null,
    calls: WAITING.calls.map((call) => ({ ...call, dangerous: true })),
  };

  it("asks in the middle of the window about what is dangerous; Escape puts it back", async () => {
    const onLeave = vi.fn();
    const field = document.body.appendChild(document.createElement("textarea"));
    field.focus();
    showPanel(<ApprovalDock agentId="agent-1" onLeave={onLeave} />, {
      "GET /workbench/approvals": [dangerous],
    });
    const card = await screen.findByRole("alertdialog");
    expect(card.closest(".fixed")).not.toBeNull();
    expect(card).toHaveFocus();
    await userEvent.keyboard("{Escape}");
    expect(onLeave).toHaveBeenCalledOnce();
    expect(screen.getByRole("alertdialog").closest(".fixed")).toBeNull();
    field.remove();
  });

  const called = (name: string, more: Partial<Approval> = {}, begun?: "started" | "unknown"): Approval => ({
    ...WAITING,
    id: `message-${name}`,
    calls: WAITING.calls.map((call) => ({
      ...call,
      name,
      ...(begun ? { outcome: { state: begun, status: null, started_at: WAITING.created_at } } : {}),
    })),
    ...more,
  });

  it.each([
    ["belongs to another conversation", called("other", { conversation_id: "conv-2" })],
    ["belongs to another agent", called("other", { agent_id: "agent-2" })],
    ["the rules answer", called("other", { answering: true })],
    ["runs already", called("other", {}, "started")],
  ])("does not ask about what %s", async (_, other) => {
    // The other one waits longer, and would be asked about first.
    const mine = called("mine", { created_at: "2026-01-01T11:00:00Z" });
    showPanel(<ApprovalDock agentId="agent-1" conversationId="conv-1" onLeave={vi.fn()} />, {
      "GET /workbench/approvals": [other, mine],
    });
    const card = await screen.findByRole("alertdialog");
    expect(within(card).getByRole("heading", { name: "mine" })).toBeVisible();
    expect(screen.getAllByRole("alertdialog")).toHaveLength(1);
  });

  it("asks about what was cut off while it ran", async () => {
    showPanel(<ApprovalDock agentId="agent-1" conversationId="conv-1" onLeave={vi.fn()} />, {
      "GET /workbench/approvals": [called("mine", {}, "unknown")],
    });
    expect(await screen.findByRole("button", { name: "Run it again" })).toBeVisible();
    expect(screen.queryByRole("button", { name: "Allow once" })).toBeNull();
  });
});

describe("the rules", () => {
  const open = async (more?: Routes) => {
    const shown = show(more);
    await userEvent.click(screen.getByRole("tab", { name: "Rules" }));
    return shown;
  };

  it("can be seen and taken back", async () => {
    const { seen } = await open({
      "DELETE /workbench/rules/rule-1": { ...RULE, revoked_at: "2026-01-02T00:00:00Z" },
    });
    const rule = await screen.findByRole("listitem", { name: RULE.sentence });
    expect(rule).toHaveTextContent("used 3 times");
    await press("Revoke", rule);
    await waitFor(() => expect(seen.some(({ method }) => method === "DELETE")).toBe(true));
  });

  it("are written as text that says what it means before it is kept", async () => {
    const { seen } = await open({ "POST /workbench/rules": RULE });
    await userEvent.type(await screen.findByRole("textbox", { name: "Rule" }), RULE.text);
    await waitFor(() => expect(screen.getByRole("button", { name: "Keep this rule" })).toBeEnabled());
    await press("Keep this rule");
    await waitFor(() =>
      expect(seen.find(({ method, path }) => method === "POST" && path === "/workbench/rules")?.body).toEqual(
        {
          text: RULE.text,
        },
      ),
    );
  });

  it("are put together in a form that writes the text", async () => {
    const { seen } = await open({ "POST /workbench/rules": RULE });
    await userEvent.selectOptions(await screen.findByRole("combobox", { name: "What is done" }), "Deny");
    await userEvent.type(screen.getByRole("textbox", { name: "For the tool" }), "run_command");
    await userEvent.type(screen.getByRole("textbox", { name: "Pattern" }), 'say "x"*');
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Where" }), "For Mercury");
    const text = 'deny run_command("say \\"x\\"*") for agent agent-1';
    expect(screen.getByRole("textbox", { name: "Rule" })).toHaveValue(text);
    await waitFor(() => expect(screen.getByRole("button", { name: "Keep this rule" })).toBeEnabled());
    await press("Keep this rule");
    await waitFor(() =>
      expect(seen.find(({ method, path }) => method === "POST" && path === "/workbench/rules")?.body).toEqual(
        {
          text,
        },
      ),
    );
    await waitFor(() => expect(screen.getByRole("textbox", { name: "For the tool" })).toHaveValue(""));
  });

  it("say where a text is wrong", async () => {
    await open({ "POST /workbench/rules/rehearse": refusal(400, "After 'allow' a tool is expected.") });
    await userEvent.type(await screen.findByRole("textbox", { name: "Rule" }), "allow");
    expect(await screen.findByText("After 'allow' a tool is expected.")).toBeVisible();
    expect(screen.getByRole("button", { name: "Keep this rule" })).toBeDisabled();
  });

  it("can be asked about a call one makes up", async () => {
    await open({
      "POST /workbench/rules/test": {
        effect: "deny",
        rule_id: "r",
        because: { message: "Nothing is written." },
      },
    });
    await userEvent.type(await screen.findByRole("textbox", { name: "Tool" }), "write_file");
    await press("What would happen?");
    expect(await screen.findByText("Nothing is written.")).toBeVisible();
  });
});

describe("the log", () => {
  it("says of a rule what it is, also when it was taken back", async () => {
    const made = { ...ENTRY, event: "rule", outcome: "created", agent_id: null, rule_id: "rule-1" };
    show({
      "GET /workbench/audit": [{ ...made, tool: "run_command", arguments: '{"type":"call","tool":"x"}' }],
      "GET /workbench/rules": (request: { path: string }) =>
        request.path.includes("revoked=true") ? [{ ...RULE, revoked_at: "2026-01-02T00:00:00Z" }] : [],
    });
    await userEvent.click(await screen.findByRole("tab", { name: "Log" }));
    expect(await screen.findByText("Rule made")).toBeVisible();
    expect(await screen.findByText(RULE.text)).toBeVisible();
    expect(screen.queryByText("call")).toBeNull();
  });

  it("shows who decided what and why, and is filtered by the server", async () => {
    const { seen } = show();
    await userEvent.click(screen.getByRole("tab", { name: "Log" }));
    const row = await screen.findByText("write_file");
    await userEvent.click(row);
    expect(screen.getByText("Not there.")).toBeVisible();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Decided by" }), "rule");
    await waitFor(() => expect(seen.at(-1)?.path).toContain("decided_by=rule"));
  });
});

import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Decision, PendingCall } from "@/api/workbench";
import { Approval } from "./approval";

const onAnswer = vi.fn<(decisions: Decision[]) => void>();
const onLeave = vi.fn();

const one: PendingCall = {
  tool_call_id: "c1",
  name: "read_file",
  arguments: '{"path":"notes.md","limit":5}',
  kind: "client",
};
const two: PendingCall = { tool_call_id: "c2", name: "send", arguments: '{"to":"ada"}', kind: "server" };

function show(calls: PendingCall[], busy = false) {
  return render(
    <Approval agentName="Mercury" calls={calls} busy={busy} onAnswer={onAnswer} onLeave={onLeave} />,
  );
}

const button = (name: string, within_: HTMLElement = document.body) =>
  within(within_).getByRole("button", { name });

beforeEach(() => {
  onAnswer.mockReset();
  onLeave.mockReset();
});

describe("an approval of one call", () => {
  it("is an alert dialog that says who asks for what, with every argument", () => {
    show([one]);
    const dialog = screen.getByRole("alertdialog", { name: "Mercury asks to use a tool" });
    expect(dialog).toHaveAccessibleDescription(/read_file/);
    expect(within(dialog).getByText("notes.md")).toBeVisible();
    expect(within(dialog).getByText("5")).toBeVisible();
    expect(within(dialog).getByText("runs on this machine")).toBeVisible();
  });

  it("offers its choices in a fixed order and focuses none of them", () => {
    show([one]);
    expect(screen.getAllByRole("button").map(({ textContent }) => textContent)).toEqual([
      "Allow once",
      "Deny",
      "Deny and say why",
      "Edit arguments",
    ]);
    expect(document.activeElement).toBe(document.body);
  });

  it("allows and denies by one press", async () => {
    show([one]);
    await userEvent.click(button("Allow once"));
    expect(onAnswer).toHaveBeenLastCalledWith([{ tool_call_id: "c1", decision: "allow" }]);
    await userEvent.click(button("Deny"));
    expect(onAnswer).toHaveBeenLastCalledWith([{ tool_call_id: "c1", decision: "deny" }]);
  });

  it("sends a reason only when there is one", async () => {
    show([one]);
    await userEvent.click(button("Deny and say why"));
    expect(onAnswer).not.toHaveBeenCalled();
    expect(button("Send denial")).toBeDisabled();
    await userEvent.type(screen.getByRole("textbox"), "  not today ");
    await userEvent.click(button("Send denial"));
    expect(onAnswer).toHaveBeenCalledExactlyOnceWith([
      { tool_call_id: "c1", decision: "deny", reason: "not today" },
    ]);
  });

  it("never decides by Escape", async () => {
    show([one]);
    button("Allow once").focus();
    await userEvent.keyboard("{Escape}");
    expect(onLeave).toHaveBeenCalledOnce();
    expect(onAnswer).not.toHaveBeenCalled();
  });

  it("allows edited arguments, but not broken ones", async () => {
    show([one]);
    await userEvent.click(button("Edit arguments"));
    const editor = screen.getByRole("textbox", { name: "Arguments (JSON)" });
    await userEvent.clear(editor);
    await userEvent.type(editor, "[[1]");
    expect(button("Allow with these arguments")).toBeDisabled();
    await userEvent.clear(editor);
    await userEvent.type(editor, '{{"path":"other.md"}');
    await userEvent.click(button("Allow with these arguments"));
    expect(onAnswer).toHaveBeenCalledExactlyOnceWith([
      { tool_call_id: "c1", decision: "allow", arguments: '{"path":"other.md"}' },
    ]);
  });

  it("does nothing while an answer is on its way", () => {
    show([one], true);
    for (const each of screen.getAllByRole("button")) expect(each).toBeDisabled();
  });

  it("names characters one cannot see, cuts nothing, and says the length of what is long", () => {
    const long = "x".repeat(20_000);
    show([{ ...one, arguments: JSON.stringify({ path: "a\u202Eexe.txt\u200B", body: long }) }]);
    expect(screen.getByText("U+202E")).toBeVisible();
    expect(screen.getByText("U+200B")).toBeVisible();
    expect(screen.getByText(long)).toBeInTheDocument();
    expect(screen.getByText("20,000 characters")).toBeVisible();
  });

  it("shows arguments that are no JSON as they are", () => {
    show([{ ...one, arguments: '{"path": "unfin' }]);
    expect(screen.getByText('{"path": "unfin')).toBeVisible();
  });
});

describe("an approval of a call that became another", () => {
  it("shows what it was and what it is, part by part", () => {
    const diff = "@@ -1 +1 @@\n-    return 1\n+    return 2\n";
    show([
      {
        ...one,
        changed: {
          since: "allowed",
          at: "2026-01-01T10:00:00Z",
          decided_by: "person",
          parts: [
            { what: "source", diff, added: 1, removed: 1 },
            { what: "colour", diff: "+red\n", added: 1, removed: 0 },
          ],
        },
      },
    ]);
    const change = screen.getByRole("region", { name: "What changed" });
    expect(change).toHaveTextContent("Not what it was when you last allowed it.");
    const source = within(change).getByRole("region", { name: "Source code" });
    expect(source).toHaveTextContent("return 1");
    expect(source).toHaveTextContent("return 2");
    // A part this window does not know is shown under its own name.
    expect(within(change).getByRole("region", { name: "colour" })).toBeVisible();
  });
});

describe("secrets among the arguments", () => {
  it("are shown only when asked for", async () => {
    show([{ ...one, arguments: '{"path":"a","password":"hush"}' }]);
    expect(screen.queryByText("hush")).toBeNull();
    expect(screen.getByText("••••••")).toBeVisible();
    await userEvent.click(button("Show secrets"));
    expect(screen.getByText("hush")).toBeVisible();
  });
});

describe("an approval of several calls", () => {
  const group = (name: string) => screen.getByRole("group", { name });

  it("is sent as one complete set, in the order of the calls", async () => {
    show([one, two]);
    expect(screen.getByRole("alertdialog", { name: "Mercury asks to use 2 tools" })).toBeVisible();
    const send = button("Send decisions");
    expect(send).toBeDisabled();
    await userEvent.click(button("Deny", group("send")));
    expect(send).toBeDisabled();
    expect(onAnswer).not.toHaveBeenCalled();
    await userEvent.click(button("Allow once", group("read_file")));
    expect(button("Allow once", group("read_file"))).toHaveAttribute("aria-pressed", "true");
    await userEvent.click(send);
    expect(onAnswer).toHaveBeenCalledExactlyOnceWith([
      { tool_call_id: "c1", decision: "allow" },
      { tool_call_id: "c2", decision: "deny" },
    ]);
  });

  it("can allow all that is shown, still as a step of its own", async () => {
    show([one, two]);
    await userEvent.click(button("Allow all shown"));
    expect(onAnswer).not.toHaveBeenCalled();
    await userEvent.click(button("Send decisions"));
    expect(onAnswer.mock.lastCall?.[0].map(({ decision }) => decision)).toEqual(["allow", "allow"]);
  });
});

describe("what a decision is bound to", () => {
  it("is sent back with it", async () => {
    show([{ ...one, hash: "abc" }]);
    await userEvent.click(button("Deny"));
    expect(onAnswer).toHaveBeenCalledWith([{ tool_call_id: "c1", hash: "abc", decision: "deny" }]);
  });

  it("can make allowing impossible, with the reason said", () => {
    show([{ ...one, problem: { message: "No folder is chosen." } }, two]);
    expect(screen.getByText("No folder is chosen.")).toBeVisible();
    expect(button("Allow once", screen.getByRole("group", { name: "read_file" }))).toBeDisabled();
  });
});

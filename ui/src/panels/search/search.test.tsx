import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Plus } from "lucide-react";
import { describe, expect, it, vi } from "vitest";
import { type Routes, refusal, showPanel } from "@/test/page";
import { readFound, stretch } from "./found";
import { Palette } from "./palette";

describe("found messages", () => {
  it("are read whatever their kind, and what is unknown is left out", () => {
    expect(
      readFound([
        {
          message_type: "user_message",
          message_id: "m1",
          agent_id: "a",
          content: [{ type: "text", text: "hi" }],
        },
        { message_type: "reasoning_message", message_id: "m2", reasoning: "hm", conversation_id: "conv-1" },
        { message_type: "hologram", message_id: "m3" },
        { message_type: "assistant_message" },
        null,
      ]),
    ).toEqual([
      { id: "m1", agentId: "a", conversationId: null, role: "user", text: "hi", date: null },
      { id: "m2", agentId: null, conversationId: "conv-1", role: "reasoning", text: "hm", date: null },
    ]);
    expect(readFound({ detail: "?" })).toEqual([]);
  });

  it("show the stretch around what was looked for", () => {
    const body = `${"a ".repeat(100)}heron${" b".repeat(200)}`;
    expect(stretch(body, "HERON")).toMatch(/^….*heron.*…$/);
    expect(stretch("short\n text", "nothing")).toBe("short text");
  });
});

function show(more: Routes = {}) {
  const run = vi.fn();
  const onOpen = vi.fn();
  const onOpenChange = vi.fn();
  showPanel(
    <Palette
      open
      onOpenChange={onOpenChange}
      onOpen={onOpen}
      commands={[{ id: "new", label: "New agent", icon: Plus, keys: "Alt+N", run }]}
    />,
    {
      "GET /v1/agents/": [{ id: "agent-1", name: "Mercury", tags: [], model: "m" }],
      "GET /v1/conversations/": [{ id: "conv-1", agent_id: "agent-1", summary: "Herons in winter" }],
      "POST /v1/messages/search": [
        {
          message_type: "assistant_message",
          message_id: "message-1",
          agent_id: "agent-1",
          conversation_id: null,
          content: "Herons eat fish.",
          created_at: "2026-01-01T00:00:00Z",
        },
      ],
      ...more,
    },
  );
  return { run, onOpen, onOpenChange };
}

describe("the palette", () => {
  it("does a command by name and keyboard alone", async () => {
    const { run, onOpenChange } = show();
    await userEvent.type(screen.getByRole("combobox"), "new ag{Enter}");
    expect(run).toHaveBeenCalledOnce();
    expect(onOpenChange).toHaveBeenCalledWith(false);
  });

  it("finds agents, conversations and messages, and opens each at its place", async () => {
    const { onOpen } = show();
    await userEvent.type(screen.getByRole("combobox"), "heron");
    await userEvent.click(await screen.findByText("Herons in winter"));
    expect(onOpen).toHaveBeenLastCalledWith("agent-1", "conv-1");
    await userEvent.click(await screen.findByText("Herons eat fish."));
    expect(onOpen).toHaveBeenLastCalledWith("agent-1", null, "message-1");
  });

  it("says so where a server cannot search messages", async () => {
    show({ "POST /v1/messages/search": refusal(404, "Not Found") });
    await userEvent.type(screen.getByRole("combobox"), "heron");
    expect(await screen.findByText("This server cannot search in messages.")).toBeVisible();
  });
});

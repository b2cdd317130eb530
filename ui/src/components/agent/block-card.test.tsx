import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { BlockVersion } from "@/api/workbench";
import { pressIn, textOf, writeInto } from "@/test/editor";
import { BlockCard, type BlockValue } from "./block-card";

const BLOCK: BlockValue = {
  id: "block-1",
  label: "human",
  description: "About the person",
  value: "Name: Ada",
  limit: 20,
  readOnly: false,
};

const NEWEST: BlockVersion = {
  version: 3,
  label: "human",
  value: "Name: Ada",
  limit: 20,
  description: "About the person",
  read_only: true,
  actor: "tool",
  actor_id: "agent-1",
  actor_name: "Mercury",
  tool_call_id: "call-1",
  tool_name: "memory_insert",
  run_id: "run-1",
  at: "2026-01-01T10:00:00Z",
};

function show(block: Partial<BlockValue> = {}, stored = true) {
  const onSave = vi.fn(async () => stored);
  const card = (change: Partial<BlockValue>) => (
    <BlockCard block={{ ...BLOCK, ...change }} saving={false} problem={null} onSave={onSave} />
  );
  const { rerender } = render(card(block));
  return { onSave, change: (next: Partial<BlockValue>) => rerender(card(next)) };
}

const edit = async () => {
  await userEvent.click(screen.getByRole("button", { name: "Edit human" }));
  await screen.findByRole("textbox", { name: "Value of human" }, { timeout: 10_000 });
};
const field = () => screen.getByRole("textbox", { name: "Value of human" });

describe("block card", () => {
  it("shows label, description, value and how much of the limit is used", () => {
    show();
    expect(screen.getByRole("article", { name: "human" })).toHaveTextContent("Name: Ada");
    expect(screen.getByText("About the person")).toBeVisible();
    expect(screen.getByText("9 of 20")).toBeVisible();
    expect(screen.getByRole("meter", { name: "Space used" })).toHaveAttribute("value", "9");
  });

  it("counts characters as the server does", () => {
    show({ value: "😀😀" });
    expect(screen.getByText("2 of 20")).toBeVisible();
  });

  it("stores what was written, naming what it was edited from", async () => {
    const { onSave } = show();
    await edit();
    writeInto(field(), "Name: Grace");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(onSave).toHaveBeenCalledExactlyOnceWith("Name: Grace", "Name: Ada");
    expect(screen.queryByRole("textbox")).toBeNull();
  });

  it("stores by Ctrl and Enter", async () => {
    const { onSave } = show();
    await edit();
    writeInto(field(), "Name: Grace");
    pressIn(field(), "Enter", { ctrlKey: true });
    await waitFor(() => expect(onSave).toHaveBeenCalledExactlyOnceWith("Name: Grace", "Name: Ada"));
  });

  it("keeps the editor open when it was not stored", async () => {
    show({}, false);
    await edit();
    writeInto(field(), "Name: Ada!");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(textOf(field())).toBe("Name: Ada!");
  });

  it("refuses to store more than fits", async () => {
    show();
    await edit();
    writeInto(field(), "Name: Ada and much more than that");
    expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
    expect(screen.getByText("Longer than the block's limit.")).toBeVisible();
  });

  it("lets go by Escape without storing", async () => {
    const { onSave } = show();
    await edit();
    writeInto(field(), "x");
    pressIn(field(), "Escape");
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(onSave).not.toHaveBeenCalled();
  });

  it("says when both changed, and overwrites only when told to", async () => {
    const { onSave, change } = show();
    await edit();
    writeInto(field(), "Name: Ada!");
    change({ value: "Name: Ada L." });
    expect(screen.getByRole("alert")).toHaveTextContent(/changed while you were editing.*Name: Ada L\./s);
    expect(textOf(field())).toBe("Name: Ada!");
    expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Replace it with mine" }));
    expect(onSave).toHaveBeenCalledExactlyOnceWith("Name: Ada!", "Name: Ada L.");
  });

  it("can take the other version instead", async () => {
    const { onSave, change } = show();
    await edit();
    writeInto(field(), "Name: Ada!");
    change({ value: "Name: Ada L." });
    await userEvent.click(screen.getByRole("button", { name: "Discard mine" }));
    expect(textOf(field())).toBe("Name: Ada L.");
    expect(screen.queryByRole("alert")).toBeNull();
    expect(onSave).not.toHaveBeenCalled();
  });

  it("marks what changed under the reader's eyes", () => {
    const { change } = show();
    expect(screen.queryByTestId("block-change")).toBeNull();
    change({ value: "Name: Ada\nLikes oranges" });
    expect(screen.getByTestId("block-change")).toHaveTextContent("Likes oranges");
    expect(screen.getByRole("article")).toHaveTextContent("Name: Ada Likes oranges");
  });

  it("does not point out the person's own words", async () => {
    const { change } = show();
    await edit();
    writeInto(field(), "Name: Ada!");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    change({ value: "Name: Ada!" });
    expect(screen.getByRole("article")).toHaveTextContent("Name: Ada!");
    expect(screen.queryByTestId("block-change")).toBeNull();
  });

  it("merges both texts when both changed", async () => {
    const { onSave, change } = show();
    await edit();
    writeInto(field(), "Name: Ada!");
    change({ value: "Name: Ada L." });
    await userEvent.click(screen.getByRole("button", { name: "Compare and merge" }));
    const mine = await screen.findByRole("textbox", { name: "What you wrote" }, { timeout: 10_000 });
    expect(textOf(screen.getByRole("textbox", { name: "What it says now" }))).toBe("Name: Ada L.");
    writeInto(mine, "Name: Ada L.!");
    await userEvent.click(screen.getByRole("button", { name: "Save the right side" }));
    expect(onSave).toHaveBeenCalledExactlyOnceWith("Name: Ada L.!", "Name: Ada L.");
  });

  it("says who changed it last, who shares it, and leads to the history", async () => {
    const onHistory = vi.fn();
    const onUndo = vi.fn();
    render(
      <BlockCard
        block={{ ...BLOCK, readOnly: true }}
        saving={false}
        problem={null}
        onSave={async () => true}
        sharedBy={["Venus", "Mars"]}
        newest={NEWEST}
        onHistory={onHistory}
        onUndo={onUndo}
      />,
    );
    expect(screen.getByText("read-only for the agent")).toBeVisible();
    expect(screen.getByText("also used by 2 agents: Venus, Mars")).toBeVisible();
    expect(screen.getByText(/edited by Mercury/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: /^History of human/ }));
    expect(onHistory).toHaveBeenCalledOnce();
    await userEvent.click(screen.getByRole("button", { name: "Undo the last change" }));
    expect(onUndo).toHaveBeenCalledOnce();
    expect(screen.getByRole("button", { name: "Redo" })).toBeDisabled();
  });
});

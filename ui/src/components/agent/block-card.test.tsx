import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { BlockCard, type BlockValue } from "./block-card";

const BLOCK: BlockValue = {
  id: "block-1",
  label: "human",
  description: "About the person",
  value: "Name: Ada",
  limit: 20,
  readOnly: false,
};

function show(block: Partial<BlockValue> = {}, stored = true) {
  const onSave = vi.fn(async () => stored);
  const card = (change: Partial<BlockValue>) => (
    <BlockCard block={{ ...BLOCK, ...change }} saving={false} problem={null} onSave={onSave} />
  );
  const { rerender } = render(card(block));
  return { onSave, change: (next: Partial<BlockValue>) => rerender(card(next)) };
}

const edit = () => userEvent.click(screen.getByRole("button", { name: "Edit human" }));
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
    await userEvent.clear(field());
    await userEvent.type(field(), "Name: Grace");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(onSave).toHaveBeenCalledExactlyOnceWith("Name: Grace", "Name: Ada");
    expect(screen.queryByRole("textbox")).toBeNull();
  });

  it("keeps the editor open when it was not stored", async () => {
    show({}, false);
    await edit();
    await userEvent.type(field(), "!");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(field()).toHaveValue("Name: Ada!");
  });

  it("refuses to store more than fits", async () => {
    show();
    await edit();
    await userEvent.type(field(), " and much more than that");
    expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
    expect(screen.getByText("Longer than the block's limit.")).toBeVisible();
  });

  it("lets go by Escape without storing", async () => {
    const { onSave } = show();
    await edit();
    await userEvent.type(field(), "x{Escape}");
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(onSave).not.toHaveBeenCalled();
  });

  it("says when both changed, and overwrites only when told to", async () => {
    const { onSave, change } = show();
    await edit();
    await userEvent.type(field(), "!");
    change({ value: "Name: Ada L." });
    expect(screen.getByRole("alert")).toHaveTextContent(/changed while you were editing.*Name: Ada L\./s);
    expect(field()).toHaveValue("Name: Ada!");
    expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Replace it with mine" }));
    expect(onSave).toHaveBeenCalledExactlyOnceWith("Name: Ada!", "Name: Ada L.");
  });

  it("can take the other version instead", async () => {
    const { onSave, change } = show();
    await edit();
    await userEvent.type(field(), "!");
    change({ value: "Name: Ada L." });
    await userEvent.click(screen.getByRole("button", { name: "Discard mine" }));
    expect(field()).toHaveValue("Name: Ada L.");
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
    await userEvent.type(field(), "!");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    change({ value: "Name: Ada!" });
    expect(screen.getByRole("article")).toHaveTextContent("Name: Ada!");
    expect(screen.queryByTestId("block-change")).toBeNull();
  });
});

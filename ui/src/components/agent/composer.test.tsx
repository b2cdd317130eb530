import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ComponentProps, useState } from "react";
import { describe, expect, it, vi } from "vitest";
import type { PictureData } from "@/lib/pictures";
import { Composer, type ComposerMode } from "./composer";

type HeldProps = Omit<ComponentProps<typeof Composer>, "draft" | "onDraft" | "pictures" | "onPictures">;

function Held(props: HeldProps) {
  const [draft, setDraft] = useState("");
  const [pictures, setPictures] = useState<PictureData[]>([]);
  return (
    <Composer draft={draft} onDraft={setDraft} pictures={pictures} onPictures={setPictures} {...props} />
  );
}

const said = (text: string) => ({ text, pictures: [] });
const PNG = new File(["not really"], "heron.png", { type: "image/png" });

function show(mode: ComposerMode, queued: string[] = []) {
  const calls = { onSend: vi.fn(), onStop: vi.fn(), onUnqueue: vi.fn() };
  render(<Held mode={mode} queued={queued.map(said)} {...calls} />);
  return calls;
}

const box = () => screen.getByRole("textbox", { name: "Message" });

describe("composer", () => {
  it("sends by Enter, trimmed, and empties itself; Shift+Enter is a new line", async () => {
    const { onSend } = show("ready");
    await userEvent.type(box(), " one{Shift>}{Enter}{/Shift}two ");
    expect(onSend).not.toHaveBeenCalled();
    await userEvent.keyboard("{Enter}");
    expect(onSend).toHaveBeenCalledExactlyOnceWith(said("one\ntwo"));
    expect(box()).toHaveValue("");
  });

  it("sends nothing that is empty", async () => {
    const { onSend } = show("ready");
    expect(screen.getByRole("button", { name: "Send" })).toBeDisabled();
    await userEvent.type(box(), "   {Enter}");
    expect(onSend).not.toHaveBeenCalled();
  });

  it("stays usable while a run or a decision is under way, and says what becomes of a message", async () => {
    const { onSend, onStop } = show("running");
    expect(box()).toBeEnabled();
    expect(box()).toHaveAccessibleDescription(/goes out when it is done/);
    await userEvent.type(box(), "later");
    await userEvent.click(screen.getByRole("button", { name: "Queue" }));
    expect(onSend).toHaveBeenCalledWith(said("later"));
    await userEvent.click(screen.getByRole("button", { name: "Stop" }));
    expect(onStop).toHaveBeenCalledOnce();
  });

  it("has nothing to stop while only a decision waits", () => {
    show("waiting");
    expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
    expect(box()).toHaveAccessibleDescription(/goes out after it/);
  });

  it("asks to stop once", () => {
    show("stopping");
    expect(screen.getByRole("button", { name: "Stop" })).toBeDisabled();
  });

  it("takes pictures by picker and paste, sends them without a word, and refuses what is none", async () => {
    const { onSend } = show("ready");
    const picker = document.querySelector("input[type=file]") as HTMLInputElement;
    await userEvent.upload(picker, PNG);
    await screen.findByRole("img", { name: "Picture 1" });
    box().focus();
    await userEvent.paste({ files: [PNG], types: ["Files"] } as unknown as DataTransfer);
    await screen.findByRole("img", { name: "Picture 2" });
    await userEvent.click(screen.getByRole("button", { name: "Remove picture 1" }));
    expect(screen.getAllByRole("img")).toHaveLength(1);
    await userEvent.type(box(), "{Enter}");
    expect(onSend).toHaveBeenCalledExactlyOnceWith({
      text: "",
      pictures: [{ mediaType: "image/png", data: btoa("not really") }],
    });
    expect(screen.queryByRole("img")).toBeNull();
    fireEvent.drop(box(), {
      dataTransfer: { files: [new File(["x"], "notes.pdf", { type: "application/pdf" })], types: ["Files"] },
    });
    expect(await screen.findByText(/notes.pdf is not a picture/)).toBeVisible();
  });

  it("lists what is queued, each with a way back", async () => {
    const { onUnqueue } = show("running", ["one", "two"]);
    expect(screen.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
      "Queuedone",
      "Queuedtwo",
    ]);
    await userEvent.click(screen.getAllByRole("button", { name: "Take back" })[1] as HTMLElement);
    expect(onUnqueue).toHaveBeenCalledWith(1);
  });
});

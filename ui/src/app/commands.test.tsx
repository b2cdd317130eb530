import { fireEvent, render, screen } from "@testing-library/react";
import i18next from "i18next";
import { Square } from "lucide-react";
import { expect, it, vi } from "vitest";
import { type Command, keyOf, readable, useCommandKeys } from "./commands";
import { Shortcuts } from "./shortcuts";

const press = (
  key: string,
  code: string,
  held: Partial<Record<"ctrlKey" | "metaKey" | "altKey" | "shiftKey", true>>,
) => ({
  key,
  code,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

it.each([
  [press("k", "KeyK", { ctrlKey: true }), false, "mod+k"],
  [press("k", "KeyK", { metaKey: true }), true, "mod+k"],
  [press("k", "KeyK", { ctrlKey: true }), true, "k"],
  // Alt and Shift make another character of the same key.
  [press("˜", "KeyN", { altKey: true }), true, "alt+n"],
  [press("N", "KeyN", { altKey: true, shiftKey: true }), false, "alt+shift+n"],
  [press(";", "Comma", { ctrlKey: true, shiftKey: true }), false, "mod+shift+,"],
  [press("Enter", "Enter", {}), false, "enter"],
  [press("Escape", "Escape", {}), false, "esc"],
  // On some keyboards the slash is behind Shift.
  [press("/", "Digit7", { ctrlKey: true, shiftKey: true }), false, "mod+/"],
  [press("/", "Slash", { ctrlKey: true }), false, "mod+/"],
])("%j is, on a Mac %j, %j", (event, mac, name) => {
  expect(keyOf(event, mac)).toBe(name);
});

it.each([
  [false, "en", "Ctrl+Shift+,"],
  [false, "de", "Strg+Umschalt+,"],
  [true, "en", "⌘⇧,"],
])("writes keys as they stand on the keyboard (Mac %j, %s)", (mac, language, written) => {
  expect(readable("mod+shift+,", i18next.getFixedT(language), mac)).toBe(written);
});

function Keys({ commands }: { commands: Command[] }) {
  useCommandKeys(commands);
  return (
    <>
      <textarea data-composer aria-label="Message" />
      <input aria-label="Search" />
    </>
  );
}

it("a key does its command where there is something to do, and Escape leaves other fields alone", () => {
  const stop = vi.fn();
  let running = false;
  const command: Command = {
    id: "stop",
    label: "Stop",
    icon: Square,
    key: "esc",
    when: () => running,
    run: stop,
  };
  render(<Keys commands={[command]} />);
  const message = screen.getByRole("textbox", { name: "Message" });
  const pressEscape = (target: Element) => fireEvent.keyDown(target, { key: "Escape", code: "Escape" });
  pressEscape(message);
  expect(stop).not.toHaveBeenCalled();
  running = true;
  pressEscape(screen.getByRole("textbox", { name: "Search" }));
  expect(stop).not.toHaveBeenCalled();
  pressEscape(message);
  pressEscape(document.body);
  expect(stop).toHaveBeenCalledTimes(2);
});

it("a command the server lacks does nothing", () => {
  const run = vi.fn();
  render(<Keys commands={[{ id: "x", label: "X", icon: Square, key: "alt+n", lack: "Not there.", run }]} />);
  fireEvent.keyDown(document.body, { key: "n", code: "KeyN", altKey: true });
  expect(run).not.toHaveBeenCalled();
});

it("the list of keys names every command that has one, and the keys of each place", () => {
  const commands: Command[] = [
    { id: "a", label: "Do it", icon: Square, key: "mod+j", run: () => {} },
    { id: "b", label: "Without a key", icon: Square, run: () => {} },
  ];
  render(<Shortcuts open onOpenChange={() => {}} commands={commands} />);
  expect(screen.getByText("Do it")).toBeVisible();
  expect(screen.getByText(readable("mod+j", i18next.t))).toBeVisible();
  expect(screen.queryByText("Without a key")).toBeNull();
  expect(screen.getByText(readable("alt+4", i18next.t))).toBeVisible();
});

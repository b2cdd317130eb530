import { expect, it } from "vitest";
import { keyOf, readable } from "./commands";

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
])("%j is, on a Mac %j, %j", (event, mac, name) => {
  expect(keyOf(event, mac)).toBe(name);
});

it("writes keys as one reads them", () => {
  expect(readable("mod+shift+,")).toMatch(/^(Ctrl\+Shift\+,|⌘⇧,)$/);
});

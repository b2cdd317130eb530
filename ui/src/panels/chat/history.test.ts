import { describe, expect, it } from "vitest";
import { decodeMessage } from "@/run/events";
import { wire } from "@/test/wire";
import { type History, withEarlier, withNewest } from "./history";

const messages = (ids: string) => [...ids].map((id) => decodeMessage(wire("assistant", id, { content: id })));
const told = ({ messages: all, more }: History) =>
  `${all.map(({ id }) => id.at(-1)).join("")}${more ? "…" : ""}`;

describe("withNewest", () => {
  it.each([
    [undefined, "cde", "cde…"],
    [undefined, "", ""],
    [{ held: "abcde", more: true }, "cdef", "abcdef…"],
    [{ held: "abcde", more: false }, "cdef", "abcdef"],
    [{ held: "abcde", more: false }, "abf", "abf"],
    [{ held: "abc", more: false }, "xyz", "xyz…"],
    [{ held: "abc", more: true }, "", ""],
  ])("of %j and %j", (before, newest, expected) => {
    const history = before && { messages: messages(before.held), more: before.more };
    expect(told(withNewest(history, messages(newest)))).toBe(expected);
  });

  it("joins a page that begins in the middle of a stored message", () => {
    const parts = [
      decodeMessage(wire("reasoning", "a", { reasoning: "hm" })),
      decodeMessage(wire("assistant", "a", { content: "hi" })),
    ];
    const joined = withNewest({ messages: parts, more: false }, parts.slice(1));
    expect(joined.messages.map(({ type }) => type)).toEqual(["reasoning", "assistant"]);
  });
});

it("withEarlier puts earlier ones in front until there are none", () => {
  const held = { messages: messages("cd"), more: true };
  expect(told(withEarlier(held, messages("ab")))).toBe("abcd…");
  expect(told(withEarlier(held, []))).toBe("cd");
});

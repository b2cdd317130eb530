import { describe, expect, it } from "vitest";
import { mainArgument, readArguments } from "./arguments";
import { changedStretch } from "./changed";
import { lengthOf } from "./length";
import { uuid } from "./uuid";
import { namedHidden, visiblePieces } from "./visible";

it.each([
  ["plain ü 漢字 😀\n\ttext", "plain ü 漢字 😀\n\ttext"],
  ["a\u202Eb", "a‹U+202E›b"],
  ["\u200B\u2066x\u0007", "‹U+200B›‹U+2066›x‹U+0007›"],
  ["a\u00ADb\u3164", "a‹U+00AD›b‹U+3164›"],
  ["", ""],
])("names what cannot be seen in %j", (text, shown) => {
  expect(namedHidden(text)).toBe(shown);
  expect(
    visiblePieces(text)
      .filter(({ hidden }) => !hidden)
      .every(({ text: piece }) => text.includes(piece)),
  ).toBe(true);
});

describe("arguments", () => {
  it("are read by name, with anything but text as JSON", () => {
    expect(readArguments('{"a":"x","b":{"c":1}}')).toEqual([
      { name: "a", value: "x", masked: false },
      { name: "b", value: '{\n  "c": 1\n}', masked: false },
    ]);
    expect(readArguments('{"a":{"API-Key":"k","n":1},"token":"t","tokens":5}')).toEqual([
      { name: "a", value: '{\n  "API-Key": "••••••",\n  "n": 1\n}', masked: true },
      { name: "token", value: "••••••", masked: true },
      { name: "tokens", value: "5", masked: false },
    ]);
    expect(readArguments('{"token":"t"}', true)).toEqual([{ name: "token", value: "t", masked: false }]);
    expect(readArguments("")).toEqual([]);
    expect(readArguments('{"a"')).toBeNull();
    expect(readArguments("[1]")).toBeNull();
  });

  it("have one that stands for the call in a line", () => {
    expect(mainArgument(`{"big":"${"x".repeat(300)}","path":"a\\nb"}`)).toBe("a b");
    expect(mainArgument('{"n":3}')).toBe("3");
    expect(mainArgument('{"password":"hush","n":3}')).toBe("3");
    expect(mainArgument('{"password":"hush"}')).toBe("••••••");
    expect(mainArgument("{}")).toBe("");
    expect(mainArgument('{"pa')).toBe('{"pa');
  });
});

it.each([
  ["a b c", "a b c", null],
  ["", "new", { before: "", changed: "new", after: "" }],
  ["one two three", "one 2 three", { before: "one ", changed: "2", after: " three" }],
  ["likes pears", "likes peaches", { before: "likes ", changed: "peaches", after: "" }],
  ["a b c", "a c", null],
  ["Ada", "Ada\nmore", { before: "Ada", changed: "\nmore", after: "" }],
])("finds what changed from %j to %j", (before, after, change) => {
  expect(changedStretch(before, after)).toEqual(change);
});

it("counts code points", () => {
  expect(lengthOf("aü😀")).toBe(3);
});

it("makes uuids with and without randomUUID", () => {
  const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(uuid()).toMatch(shape);
  const original = crypto.randomUUID;
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  try {
    expect(uuid()).toMatch(shape);
  } finally {
    Object.defineProperty(crypto, "randomUUID", { value: original, configurable: true });
  }
});

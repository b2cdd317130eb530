import { describe, expect, it } from "vitest";
import {
  draftOf,
  fromFile,
  grantsBody,
  newDraft,
  parseRequirement,
  problemsIn,
  toFile,
  withoutSecrets,
} from "./draft";

const GRANTS = {
  network: true,
  timeout_seconds: 30,
  memory_mb: null,
  env: { MODE: "fast" },
  secret_names: ["TOKEN"],
};
const TOOL = {
  id: "tool-1",
  name: "add",
  source_code: "def add(): ...",
  source_type: "python",
  tags: ["math"],
  return_char_limit: 10,
  tool_type: "custom" as const,
};

describe("a draft", () => {
  const draft = draftOf(TOOL, GRANTS);

  it("keeps stored secrets without knowing them, and sends new ones once", () => {
    expect(grantsBody(draft.grants)).toEqual({
      network: true,
      timeout_seconds: 30,
      memory_mb: null,
      env: { MODE: "fast" },
      secrets: { TOKEN: null },
    });
    const typed = {
      ...draft,
      grants: { ...draft.grants, variables: [{ name: "TOKEN", value: "hush", secret: true }] },
    };
    expect(grantsBody(typed.grants)).toMatchObject({ env: {}, secrets: { TOKEN: "hush" } });
    expect(JSON.stringify(withoutSecrets(typed))).not.toContain("hush");
    expect(toFile("add", typed)).not.toContain("hush");
  });

  it("comes back from a file, but without what was granted", () => {
    expect(
      fromFile("add.json", toFile("add", { ...draft, ask: false, pip: [{ name: "rich", version: "1" }] })),
    ).toEqual({
      ...newDraft("python", "def add(): ..."),
      tags: ["math"],
      return_char_limit: 10,
      pip: [{ name: "rich", version: "1" }],
    });
  });

  it.each([
    ["a.json", "{", null],
    ["a.json", '{"kind":"other"}', null],
    ["a.py", " ", null],
    ["a.py", "def f(): ...", "python"],
    ["a.ts", "function f() {}", "typescript"],
  ])("from %s with %j", (name, text, type) => {
    expect(fromFile(name, text)?.source_type ?? null).toBe(type);
  });
});

it.each([
  [
    "Failed to derive json schema: Schema generation failed: syntax error in line 1, column 6: '(' is never closed",
    [[1, 6]],
  ],
  [
    "Failed to derive json schema: Schema generation failed: function 'f': it has no docstring (line 1); '*a' takes any number of arguments (line 3)",
    [
      [1, null],
      [3, null],
    ],
  ],
  ["Something else", []],
])("finds the places in %j", (message, places) => {
  expect(problemsIn(message).map(({ line, column }) => [line, column])).toEqual(places);
});

it.each([
  ["requests==2.32", { name: "requests", version: "2.32" }],
  ["  rich ", { name: "rich", version: null }],
  ["lodash@4", { name: "lodash", version: "4" }],
  ["@scope/pkg@1.0", { name: "@scope/pkg", version: "1.0" }],
  ["two words", null],
  ["", null],
])("reads the requirement %j", (text, requirement) => {
  expect(parseRequirement(text)).toEqual(requirement);
});

import { renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { useToolAbout } from "./use-tool-about";

it.each([
  ["a tool that comes with a server", "read_file", "built_in", "Reads a text file."],
  ["one somebody wrote under the same name", "read_file", "own", "Read it, model."],
  ["one somebody brought along", "memory", "external_mcp", "Read it, model."],
  ["one this window does not know", "of_tomorrow", "letta_core", "Read it, model."],
])("says what %s does", (_, name, kind, words) => {
  const about = renderHook(() => useToolAbout()).result.current;
  expect(about({ name, description: "Read it, model." }, kind)).toBe(words);
});

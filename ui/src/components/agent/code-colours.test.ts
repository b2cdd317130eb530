import type { HighlightResult } from "streamdown";
import { expect, it, vi } from "vitest";
import { codeColours } from "./code-colours";

const CODE = "for bird in birds:\n    print('a heron', 2)  # grey\n";
const options = { code: CODE, language: "py" as never, themes: codeColours.getThemes() };

it("colours code by classes, without a style on any piece", async () => {
  const done = vi.fn<(result: HighlightResult) => void>();
  const plain = codeColours.highlight(options, done);
  await vi.waitFor(() => expect(done).toHaveBeenCalled());
  const coloured = done.mock.calls[0]?.[0];
  for (const result of [plain, coloured]) {
    const lines = result?.tokens.map((line) => line.map(({ content }) => content).join(""));
    expect(lines?.join("\n")).toBe(CODE);
    for (const token of result?.tokens.flat() ?? [])
      expect(Object.keys(token).sort()).toEqual(["content", "htmlAttrs"]);
  }
  const kinds = coloured?.tokens
    .flat()
    .map(({ content, htmlAttrs }) => [content.trim(), htmlAttrs?.className]);
  expect(kinds).toEqual(
    expect.arrayContaining([
      ["for", "code-keyword"],
      ["bird", ""],
      ["print", "code-function"],
      ["2", "code-constant"],
      ["# grey", "code-comment"],
    ]),
  );
});

it("leaves a language it does not know to be drawn as text", () => {
  expect(codeColours.supportsLanguage("klingon" as never)).toBe(false);
  const result = codeColours.highlight({ ...options, language: "klingon" as never });
  expect(result?.tokens.map((line) => line.map(({ content }) => content))).toEqual(
    CODE.split("\n").map((line) => [line]),
  );
});

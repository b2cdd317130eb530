import { expect, it } from "vitest";
import { colour, coloursReady, loadColours } from "./code-colours";

const CODE = "for bird in birds:\n    print('a heron', 2)  # grey\n";
const text = (lines: ReturnType<typeof colour>) =>
  lines.map((line) => line.map((piece) => piece.text).join("")).join("\n");

it("colours code once its language is there, and changes nothing of it", async () => {
  expect(coloursReady("py")).toBe(false);
  expect(colour(CODE, "py", true)).toEqual(CODE.split("\n").map((line) => [{ kind: null, text: line }]));
  await loadColours("py");
  expect(coloursReady("python")).toBe(true);
  const lines = colour(CODE, "Python", true);
  expect(text(lines)).toBe(CODE);
  expect(lines.flat().map((piece) => [piece.text.trim(), piece.kind])).toEqual(
    expect.arrayContaining([
      ["for", "keyword"],
      ["bird", null],
      ["print", "function"],
      ["2", "constant"],
      ["# grey", "comment"],
    ]),
  );
});

it("leaves what it does not know, and what is too long to be coloured anew with each piece, as text", async () => {
  await loadColours("klingon");
  expect(coloursReady("klingon")).toBe(true);
  await loadColours("python");
  const long = "x = 1\n".repeat(1_500);
  for (const [code, language, growing] of [
    [CODE, "klingon", false],
    [long, "python", true],
  ] as const) {
    const lines = colour(code, language, growing);
    expect(text(lines)).toBe(code);
    expect(lines.flat().every(({ kind }) => kind === null)).toBe(true);
  }
  expect(
    colour(long, "python", false)
      .flat()
      .some(({ kind }) => kind === "constant"),
  ).toBe(true);
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import sentences from "@/api/generated/sentences.json";
import de from "./de.json";
import en from "./en.json";

function flatten(words: object, prefix = ""): Record<string, string> {
  return Object.fromEntries(
    Object.entries(words).flatMap(([key, value]) =>
      typeof value === "string"
        ? [[prefix + key, value]]
        : Object.entries(flatten(value, `${prefix}${key}.`)),
    ),
  );
}

const english = flatten(en);
const german = flatten(de);
const placeholders = (text = "") => [...text.matchAll(/{{(\w+)}}/g)].map(([, name]) => name).sort();

describe("words", () => {
  it("exist in both languages", () => {
    expect(Object.keys(german).sort()).toEqual(Object.keys(english).sort());
  });

  it("are never empty and take the same values in both languages", () => {
    for (const [key, text] of Object.entries(english)) {
      expect(text, key).not.toBe("");
      expect(german[key], key).not.toBe("");
      expect(placeholders(german[key]), key).toEqual(placeholders(text));
    }
  });

  it("exist for every key the window names, and no key is left unused", () => {
    const src = join(import.meta.dirname, "..");
    const text = readdirSync(src, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name) && !name.includes(".test."))
      .map((name) => readFileSync(join(src, name), "utf8"))
      .join("\n");
    const groups = Object.keys(en).join("|");
    const named = new Set(
      [...text.matchAll(new RegExp(`"((?:${groups})\\.[A-Za-z.]+)"`, "g"))].map(([, key]) => key ?? ""),
    );
    // The desk's events are named alike.
    for (const key of named) if (/\.(changed|waiting|resolved)$/.test(key)) named.delete(key);
    const patterns = [...text.matchAll(/`([a-zA-Z.]+)\$\{/g)].map(([, start]) => start ?? "");
    const bare = new Set(Object.keys(english).map((key) => key.replace(/_(one|other)$/, "")));

    expect([...named].filter((key) => !bare.has(key))).toEqual([]);
    const unused = [...bare].filter(
      (key) => !named.has(key) && !patterns.some((start) => start && key.startsWith(start)),
    );
    expect(unused).toEqual([]);
  });
});

describe("the server's sentences", () => {
  const bare = (words: object) => flatten({ said: words });
  const codes = Object.keys(sentences).map((code) => `said.${code}`);

  it("all have words here, and no others do", () => {
    expect(Object.keys(bare(en.said)).sort()).toEqual(codes.sort());
    expect(Object.keys(bare(de.said)).sort()).toEqual(codes.sort());
  });

  it("are in English what the server says", () => {
    const written = Object.entries(sentences).map(([code, words]) => [
      `said.${code}`,
      words.replace(/{(\w+)}/g, "{{$1}}"),
    ]);
    expect(bare(en.said)).toEqual(Object.fromEntries(written));
  });
});

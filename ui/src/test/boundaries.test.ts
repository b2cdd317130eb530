// Imports go downwards only: transport and lib ← api ← run ← components ← panels ← app.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "..");

/** What each folder may import of ours, besides itself. */
const MAY: Record<string, readonly string[]> = {
  transport: ["lib"],
  lib: ["api"],
  i18n: ["api"],
  api: ["transport"],
  run: ["api", "lib", "transport"],
  components: ["api", "run", "lib"],
  panels: ["api", "run", "lib", "components"],
  app: ["api", "run", "lib", "components", "panels", "i18n"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.startsWith("test/"))
  .map((name) => ({ name, imports: importsOf(name) }));

function importsOf(name: string): string[] {
  const text = readFileSync(join(SRC, name), "utf8");
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...found].map(([, target = ""]) => {
    if (target.startsWith("@/")) return target.slice(2);
    return target.startsWith(".") ? relative(SRC, join(SRC, name, "..", target)) : `npm:${target}`;
  });
}

const top = (path: string) => path.split("/")[0] ?? "";

describe("imports", () => {
  it("are read from a plausible number of files", () => {
    expect(files.length).toBeGreaterThan(40);
  });

  it("go downwards between folders", () => {
    const wrong = files.flatMap(({ name, imports }) => {
      const folder = top(name);
      if (!(folder in MAY)) return [];
      return imports
        .filter(
          (path) => !path.startsWith("npm:") && top(path) !== folder && !MAY[folder]?.includes(top(path)),
        )
        .map((path) => `${name} → ${path}`);
    });
    expect(wrong).toEqual([]);
  });

  it("do not tie panels to each other", () => {
    const panel = (path: string) => path.split("/")[1] ?? "";
    const wrong = files
      .filter(({ name }) => /^panels\/[^/]+\//.test(name))
      .flatMap(({ name, imports }) =>
        imports
          .filter((path) => top(path) === "panels" && panel(path) !== panel(name))
          .map((path) => `${name} → ${path}`),
      );
    expect(wrong).toEqual([]);
  });

  it("keep Tauri inside the transport", () => {
    const wrong = files.filter(
      ({ name, imports }) =>
        top(name) !== "transport" && imports.some((path) => path.startsWith("npm:@tauri-apps/")),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it("keep domain components free of queries, and primitives free of the domain", () => {
    const wrong = files.flatMap(({ name, imports }) => {
      if (top(name) !== "components") return [];
      const forbidden = name.startsWith("components/ui/")
        ? /^(api|run|components\/agent)\b/
        : /^npm:@tanstack|^api\/(client|queries|context)|^run\/(use-run|session|outbox)/;
      return imports.filter((path) => forbidden.test(path)).map((path) => `${name} → ${path}`);
    });
    expect(wrong).toEqual([]);
  });
});

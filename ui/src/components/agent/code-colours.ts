// Colours for code in the conversation. Each language is a file fetched when it is first met; the colours are classes
// of the window's own, so that light and dark need nothing more.
import {
  createCssVariablesTheme,
  createHighlighterCore,
  type HighlighterCore,
  type LanguageInput,
} from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";

const LANGUAGES: Record<string, LanguageInput> = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  dockerfile: () => import("shiki/langs/dockerfile.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  ini: () => import("shiki/langs/ini.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  lua: () => import("shiki/langs/lua.mjs"),
  make: () => import("shiki/langs/make.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  powershell: () => import("shiki/langs/powershell.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  r: () => import("shiki/langs/r.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
};

const ALIASES: Record<string, string> = {
  "c++": "cpp",
  "c#": "csharp",
  cs: "csharp",
  docker: "dockerfile",
  golang: "go",
  js: "javascript",
  kt: "kotlin",
  makefile: "make",
  md: "markdown",
  ps1: "powershell",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  shellscript: "bash",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
};

/** Characters of a block still growing up to which it is coloured anew with each piece. */
const WHILE_GROWING = 6_000;
/** Characters of a block beyond which it stays plain. */
const MOST = 200_000;

const THEME = createCssVariablesTheme({ name: "loci", variablePrefix: "--code-" });
/** A colour of the theme that is a kind of token's; what stands in all other colours is drawn as text is. */
const KIND = /^var\(--code-token-([a-z-]+)\)$/;

/** Text of one kind: `keyword`, `string` and so on; `null` is plain. */
export type Piece = { kind: string | null; text: string };

let core: Promise<HighlighterCore> | null = null;
let ready: HighlighterCore | null = null;
const loading = new Map<string, Promise<void>>();
const loaded = new Set<string>();

/** The lines of some code in pieces; plain while its language is not here, is unknown, or it is too long. */
export function colour(code: string, language: string, growing: boolean): Piece[][] {
  const name = nameOf(language);
  if (!ready || name === null || !loaded.has(name) || code.length > (growing ? WHILE_GROWING : MOST))
    return code.split("\n").map((text) => [{ kind: null, text }]);
  const { tokens } = ready.codeToTokens(code, { lang: name, theme: "loci" });
  return tokens.map((line) => {
    const pieces: Piece[] = [];
    for (const { content, color } of line) {
      const kind = KIND.exec(color ?? "")?.[1] ?? null;
      const last = pieces.at(-1);
      if (last?.kind === kind) last.text += content;
      else pieces.push({ kind, text: content });
    }
    return pieces;
  });
}

/** Whether nothing is to be waited for: the language is here, or there is none. */
export function coloursReady(language: string): boolean {
  const name = nameOf(language);
  return name === null || loaded.has(name);
}

/** Fetches a language. Without its colours code is still code, so a failure is none. */
export function loadColours(language: string): Promise<void> {
  const name = nameOf(language);
  return name === null ? Promise.resolve() : load(name).catch(() => {});
}

function nameOf(language: string): string | null {
  const lower = language.toLowerCase();
  const name = ALIASES[lower] ?? lower;
  return Object.hasOwn(LANGUAGES, name) ? name : null;
}

function load(name: string): Promise<void> {
  const known = loading.get(name);
  if (known) return known;
  core ??= createHighlighterCore({
    themes: [THEME],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  const started = core.then(async (highlighter) => {
    const language = LANGUAGES[name];
    if (language) await highlighter.loadLanguage(language);
    ready = highlighter;
    loaded.add(name);
  });
  loading.set(name, started);
  return started;
}

// Colours for code in the conversation. Each language is a file fetched when it is first met; the colours are the
// window's own tokens, so that light and dark need nothing more.
import {
  createCssVariablesTheme,
  createHighlighterCore,
  type HighlighterCore,
  type LanguageInput,
} from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import type { CodeHighlighterPlugin, HighlightResult } from "streamdown";

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

const THEME = createCssVariablesTheme({ name: "loci", variablePrefix: "--code-", fontStyle: true });

let core: Promise<HighlighterCore> | null = null;
let ready: HighlighterCore | null = null;
const loading = new Map<string, Promise<void>>();
const loaded = new Set<string>();

export const codeColours: CodeHighlighterPlugin = {
  name: "shiki",
  type: "code-highlighter",
  getSupportedLanguages: () => [...Object.keys(LANGUAGES), ...Object.keys(ALIASES)],
  supportsLanguage: (language) => nameOf(language) !== null,
  getThemes: () => [THEME, THEME],
  // An answer every time: what came before would stay on screen otherwise.
  highlight({ code, language, isIncomplete }, callback) {
    const name = nameOf(language);
    if (name === null || code.length > (isIncomplete ? WHILE_GROWING : MOST)) return plain(code);
    if (ready && loaded.has(name)) return coloured(ready, code, name);
    void load(name)
      .then(() => {
        if (ready) callback?.(coloured(ready, code, name));
      })
      // Without its colours code is still code.
      .catch(() => {});
    return plain(code);
  },
};

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

function coloured(highlighter: HighlighterCore, code: string, name: string): HighlightResult {
  const { tokens } = highlighter.codeToTokens(code, { lang: name, theme: "loci" });
  return { bg: "transparent", fg: "inherit", tokens };
}

function plain(code: string): HighlightResult {
  return {
    bg: "transparent",
    fg: "inherit",
    tokens: code.split("\n").map((content) => [{ content, color: "inherit" }]),
  };
}

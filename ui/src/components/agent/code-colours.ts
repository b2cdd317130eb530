// Colours for code in the conversation. Each language is a file fetched when it is first met; the colours are classes
// of the window's own, so that light and dark need nothing more.
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

const THEME = createCssVariablesTheme({ name: "loci", variablePrefix: "--code-" });
/** A colour of the theme that is a kind of token's; what stands in all other colours is drawn as text is. */
const KIND = /^var\(--code-token-([a-z-]+)\)$/;

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
  return {
    tokens: tokens.map((line) => {
      const pieces: Piece[] = [];
      for (const { content, color } of line) {
        const kind = KIND.exec(color ?? "")?.[1] ?? null;
        const last = pieces.at(-1);
        if (last?.kind === kind) last.text += content;
        else pieces.push({ kind, text: content });
      }
      return pieces.map(drawn);
    }),
  };
}

function plain(code: string): HighlightResult {
  return { tokens: code.split("\n").map((text) => [drawn({ kind: null, text })]) };
}

/** Text of one colour. */
type Piece = { kind: string | null; text: string };

/**
 * A class, and no style of its own: each piece that arrives draws a growing block anew, and the web view keeps memory
 * of every element that had a style with variables in it.
 */
function drawn({ kind, text }: Piece): HighlightResult["tokens"][number][number] {
  return { content: text, htmlAttrs: { className: kind === null ? "" : `code-${kind}` } };
}

// What the next request would carry, taken apart: pure, so that its sums can be tested.
import type { ContextWindow } from "@/api/types";

export type SectionKind =
  | "system"
  | "block"
  | "memory"
  | "metadata"
  | "rules"
  | "tools"
  | "clientTools"
  | "summary"
  | "messages";

/** One piece of a section one can open by itself. */
export type Piece = { key: string; name: string; text: string; tokens: number };

export type Section = {
  key: string;
  kind: SectionKind;
  /** The block's label; other kinds are named by what they are. */
  label: string | null;
  tokens: number;
  /** The text as it is sent, where it is one text. */
  text: string | null;
  pieces: Piece[];
};

/** The server's rule, and the one used for what only this window knows: four characters to a token. */
export function estimate(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return Math.ceil(length / 4);
}

type OwnTool = { name: string; description: string | null; parameters: Record<string, unknown> | null };

/** `clientTools` are the tools this window sends along with each message. Empty sections are left out. */
export function sectionsOf(window: ContextWindow, clientTools: readonly OwnTool[]): Section[] {
  const blocks = blocksIn(window.core_memory);
  const frame = Math.max(0, window.num_tokens_core_memory - total(blocks));
  const tools = window.functions_definitions.map(definition);
  const own = clientTools.map((tool) =>
    definition({ function: { name: tool.name, description: tool.description, parameters: tool.parameters } }),
  );
  const messages = window.messages.filter(({ role }) => role !== "system" && role !== "summary").map(spoken);
  const sections: Section[] = [
    whole("system", window.system_prompt, window.num_tokens_system),
    ...blocks,
    whole("memory", frame > 0 ? frameOf(window.core_memory) : "", frame),
    whole("rules", window.tool_usage_rules, window.num_tokens_tool_usage_rules),
    whole("metadata", window.external_memory_summary, window.num_tokens_external_memory_summary),
    { ...whole("tools", null, window.num_tokens_functions_definitions), pieces: tools },
    { ...whole("clientTools", null, total(own)), pieces: own },
    whole("summary", window.summary_memory, window.num_tokens_summary_memory),
    { ...whole("messages", null, window.num_tokens_messages), pieces: messages },
  ];
  return sections.filter(({ tokens, pieces }) => tokens > 0 || pieces.length > 0);
}

export function total(parts: readonly { tokens: number }[]): number {
  return parts.reduce((sum, { tokens }) => sum + tokens, 0);
}

function whole(kind: SectionKind, text: string | null | undefined, tokens: number): Section {
  return { key: kind, kind, label: null, tokens, text: text || null, pieces: [] };
}

const BLOCK = /^<([^<>\s]+)>\n<description>\n/gm;

/** The blocks as they stand in the prompt, each with its frame of tags. */
function blocksIn(memory: string): Section[] {
  const found: Section[] = [];
  let from = 0;
  for (const match of memory.matchAll(BLOCK)) {
    // A block's own value can look like a block.
    if (match.index < from) continue;
    const label = match[1] ?? "";
    const close = `\n</value>\n</${label}>`;
    const end = memory.indexOf(close, match.index);
    if (end < 0) continue;
    from = end + close.length;
    const text = memory.slice(match.index, from);
    found.push({ key: `block/${label}`, kind: "block", label, tokens: estimate(text), text, pieces: [] });
  }
  return found;
}

/** What stands around the blocks. */
function frameOf(memory: string): string {
  const first = memory.search(BLOCK);
  return (first < 0 ? memory : memory.slice(0, first)).trim();
}

function definition(tool: Record<string, unknown>, at = 0): Piece {
  const inner = record(tool.function) ?? tool;
  const name = typeof inner.name === "string" ? inner.name : "";
  return {
    key: `${name}/${at}`,
    name,
    text: JSON.stringify(inner, null, 2),
    tokens: estimate(JSON.stringify(inner)),
  };
}

function spoken(message: Record<string, unknown>, at: number): Piece {
  const text = [
    ...contents(message.content),
    ...list(message.tool_calls).map((call) => {
      const called = record(record(call)?.function);
      return `${String(called?.name ?? "")}(${String(called?.arguments ?? "")})`;
    }),
    ...list(message.tool_returns).map((result) => textOf(record(result)?.func_response)),
  ].join("\n");
  return {
    key: typeof message.id === "string" ? message.id : String(at),
    name: typeof message.role === "string" ? message.role : "",
    text,
    tokens: estimate(text),
  };
}

function contents(content: unknown): string[] {
  return list(content).map((part) => {
    const { type, text, reasoning } = record(part) ?? {};
    if (typeof text === "string") return text;
    if (typeof reasoning === "string") return reasoning;
    return `[${String(type ?? "")}]`;
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

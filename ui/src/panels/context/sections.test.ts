import { describe, expect, it } from "vitest";
import type { ContextWindow } from "@/api/types";
import { estimate, sectionsOf, total } from "./sections";

const MEMORY =
  "<memory_blocks>\nThe blocks below are memory.\n\n<persona>\n<description>\nWho.\n</description>\n<metadata>\n- chars_current=1\n</metadata>\n<value>\nBrief.\n</value>\n</persona>\n\n<notes/a>\n<description>\n\n</description>\n<metadata>\n</metadata>\n<value>\n<fake>\n<description>\nx\n</value>\n</notes/a>\n</memory_blocks>";

const WINDOW: ContextWindow = {
  context_window_size_max: 1000,
  context_window_size_current: 300,
  num_messages: 3,
  num_archival_memory: 0,
  num_recall_memory: 3,
  num_tokens_external_memory_summary: 5,
  external_memory_summary: "<memory_metadata/>",
  num_tokens_system: 20,
  system_prompt: "You remember.",
  num_tokens_core_memory: estimate(MEMORY),
  core_memory: MEMORY,
  num_tokens_memory_filesystem: 0,
  num_tokens_tool_usage_rules: 0,
  num_tokens_directories: 0,
  num_tokens_summary_memory: 0,
  num_tokens_functions_definitions: 30,
  functions_definitions: [{ type: "function", function: { name: "search", parameters: {} } }] as never,
  num_tokens_messages: 8,
  messages: [
    { id: "m0", role: "system", content: [{ type: "text", text: "You remember." }] },
    { id: "m1", role: "user", content: [{ type: "text", text: "Hello" }] },
    {
      id: "m2",
      role: "assistant",
      content: [{ type: "reasoning", reasoning: "Hm." }],
      tool_calls: [{ function: { name: "search", arguments: '{"q":1}' } }],
    },
    { id: "m3", role: "tool", content: [], tool_returns: [{ func_response: "found" }] },
  ] as never,
};

describe("sections of a context window", () => {
  const sections = sectionsOf(WINDOW, [{ name: "read_file", description: null, parameters: {} }]);

  it("stand in the order of the request, the empty ones left out", () => {
    expect(sections.map(({ key }) => key)).toEqual([
      "system",
      "block/persona",
      "block/notes/a",
      "memory",
      "metadata",
      "tools",
      "clientTools",
      "messages",
    ]);
  });

  it("count nothing twice", () => {
    const memory = sections.filter(({ kind }) => kind === "block" || kind === "memory");
    expect(total(memory)).toBe(WINDOW.num_tokens_core_memory);
  });

  it("take a block whole, whatever its value looks like", () => {
    const notes = sections.find(({ label }) => label === "notes/a");
    expect(notes?.text?.startsWith("<notes/a>")).toBe(true);
    expect(notes?.text?.endsWith("</notes/a>")).toBe(true);
  });

  it("show every message that is not the prompt, with calls and returns", () => {
    const messages = sections.find(({ kind }) => kind === "messages");
    expect(messages?.pieces.map(({ name, text }) => [name, text])).toEqual([
      ["user", "Hello"],
      ["assistant", 'Hm.\nsearch({"q":1})'],
      ["tool", "found"],
    ]);
  });
});

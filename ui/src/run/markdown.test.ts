import { expect, it } from "vitest";
import { decodeMessage } from "@/run/events";
import { project } from "@/run/project";
import { call, returned, wire } from "@/test/wire";
import { conversationMarkdown } from "./markdown";

const LABELS = { you: "You", agent: "Mercury", summary: "Summary" };

it("writes what was said in full and what was done in a line each, one heading per speaker", () => {
  const stored = [
    wire("system", "s", { content: "You are an agent." }),
    wire("summary", "m", { summary: "Earlier: herons." }),
    wire("user", "a", { content: "Look it up" }),
    wire("reasoning", "b", { reasoning: "Hm.", step_id: "step-1" }),
    wire("tool_call", "b", {
      tool_calls: [call("c1", '{"path":"a`b.txt"}', "read_file")],
      step_id: "step-1",
    }),
    wire("tool_return", "c", { tool_returns: [returned("c1", "```\nx\n```")], step_id: "step-1" }),
    wire("assistant", "d", { content: "**Found** it.", step_id: "step-2" }),
  ].map(decodeMessage);
  const turns = project(stored, [], { active: false, waiting: new Set() });
  expect(conversationMarkdown(turns, LABELS)).toBe(
    `${[
      "## Summary",
      "Earlier: herons.",
      "## You",
      "Look it up",
      "## Mercury",
      "- `read_file` ``a`b.txt``\n\n````\n```\nx\n```\n````",
      "**Found** it.",
    ].join("\n\n")}\n`,
  );
  expect(conversationMarkdown([], LABELS)).toBe("");
});

// Why a run or a step ended, in words: every stop reason of the API has its own.
import type { Run } from "@/api/types";

export type Tone = "good" | "bad" | "waiting" | "plain";

const REASONS: Record<NonNullable<Run["stop_reason"]>, Tone> = {
  end_turn: "good",
  error: "bad",
  llm_api_error: "bad",
  invalid_llm_response: "bad",
  invalid_tool_call: "bad",
  max_steps: "waiting",
  max_tokens_exceeded: "waiting",
  no_tool_call: "bad",
  tool_rule: "good",
  cancelled: "plain",
  insufficient_credits: "bad",
  requires_approval: "waiting",
  context_window_overflow_in_system_prompt: "bad",
};

/** The key of the words, and how they are to be taken. */
export function describeRun({ status, stop_reason }: Pick<Run, "status" | "stop_reason">): {
  words: string;
  tone: Tone;
} {
  if (status === "created" || status === "running") return { words: "runs.running", tone: "plain" };
  if (stop_reason && stop_reason in REASONS) {
    return { words: `runs.reasons.${camel(stop_reason)}`, tone: REASONS[stop_reason] };
  }
  return { words: `runs.status.${status}`, tone: status === "failed" ? "bad" : "plain" };
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

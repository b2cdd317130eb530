// From what a person chose on the card to what is sent: pure, because everything hangs on it.
import type { Decision, PendingCall, Remember } from "@/api/approvals";

/** What the person has said about one call so far. */
export type Choice =
  | { state: "open" }
  | { state: "allowed"; remember?: Remember }
  | { state: "denied" }
  /** Denied, with the words still being written or written. */
  | { state: "explained"; reason: string }
  /** Nobody knows whether it ran; the agent is told so. */
  | { state: "reported" };

export const OPEN: Choice = { state: "open" };

/** What else of the person's goes along with a choice. */
export type Extra = {
  /** The edited arguments; absent while they are the model's. */
  edit?: string | undefined;
  /** The answer to a tool that asks the person. */
  answer?: string | undefined;
};

/** The rules have decided already and nobody has to. */
export function isRuled(call: PendingCall): boolean {
  return call.verdict?.effect === "allow" || call.verdict?.effect === "deny";
}

/** The tool is one that asks the person something: allowing it means answering. */
export function asksPerson(call: PendingCall): boolean {
  return call.detail?.type === "question";
}

/**
 * The decision a choice amounts to: `undefined` while it is not made, `null` when it is left to the rules.
 */
export function decisionOf(call: PendingCall, choice: Choice, extra: Extra): Decision | null | undefined {
  const seen = { tool_call_id: call.tool_call_id, ...(call.hash ? { hash: call.hash } : {}) };
  switch (choice.state) {
    case "open":
      return isRuled(call) ? null : undefined;
    case "allowed": {
      if (call.problem || call.verdict?.effect === "deny") return undefined;
      if (extra.edit !== undefined && !isObject(extra.edit)) return undefined;
      if (asksPerson(call) && !extra.answer?.trim()) return undefined;
      return {
        ...seen,
        decision: "allow",
        ...(extra.edit === undefined ? {} : { arguments: extra.edit }),
        ...(asksPerson(call) && extra.answer ? { answer: extra.answer.trim() } : {}),
        ...(call.outcome?.state === "unknown" ? { run_again: true as const } : {}),
        ...(choice.remember ? { remember: choice.remember } : {}),
      };
    }
    case "denied":
      return call.outcome?.state === "finished" ? undefined : { ...seen, decision: "deny" };
    case "explained": {
      const reason = choice.reason.trim();
      return reason ? { ...seen, decision: "deny", reason } : undefined;
    }
    case "reported":
      return { ...seen, decision: "report" };
    default:
      choice satisfies never;
      return undefined;
  }
}

export function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Arguments as one edits them. */
export function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

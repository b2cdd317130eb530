import { describe, expect, it } from "vitest";
import type { Decision, PendingCall } from "@/api/approvals";
import { type Choice, decisionOf, type Extra } from "./decision";

const call = (extra: Partial<PendingCall> = {}): PendingCall => ({
  tool_call_id: "c",
  name: "t",
  arguments: "{}",
  kind: "client",
  hash: "h",
  ...extra,
});
const verdict = (effect: "allow" | "ask" | "deny") => ({
  verdict: { effect, rule_id: null, because: { message: "x" } },
});
const outcome = (state: "finished" | "unknown") => ({ outcome: { state, status: null, started_at: "" } });
const question = { detail: { type: "question" as const, question: "Which?", choices: [] } };
const seen = { tool_call_id: "c", hash: "h" };
const allowed: Choice = { state: "allowed" };

describe("a choice", () => {
  it.each<[string, PendingCall, Choice, Extra, Decision | null | undefined]>([
    ["not made", call(), { state: "open" }, {}, undefined],
    ["left to an allowing rule", call(verdict("allow")), { state: "open" }, {}, null],
    ["left to a denying rule", call(verdict("deny")), { state: "open" }, {}, null],
    ["still asked for by a rule", call(verdict("ask")), { state: "open" }, {}, undefined],
    ["to allow", call(), allowed, {}, { ...seen, decision: "allow" }],
    ["to allow against a denying rule", call(verdict("deny")), allowed, {}, undefined],
    ["to allow what cannot be", call({ problem: { message: "gone" } }), allowed, {}, undefined],
    [
      "to allow an edit",
      call(),
      allowed,
      { edit: '{"a":1}' },
      { ...seen, decision: "allow", arguments: '{"a":1}' },
    ],
    ["to allow a broken edit", call(), allowed, { edit: "[1]" }, undefined],
    [
      "to answer",
      call(question),
      allowed,
      { answer: " red " },
      { ...seen, decision: "allow", answer: "red" },
    ],
    ["to answer nothing", call(question), allowed, { answer: " " }, undefined],
    ["to run again", call(outcome("unknown")), allowed, {}, { ...seen, decision: "allow", run_again: true }],
    ["to report", call(outcome("unknown")), { state: "reported" }, {}, { ...seen, decision: "report" }],
    ["to deny", call(), { state: "denied" }, {}, { ...seen, decision: "deny" }],
    ["to deny what has run", call(outcome("finished")), { state: "denied" }, {}, undefined],
    ["to deny for no reason", call(), { state: "explained", reason: " " }, {}, undefined],
    [
      "to deny and say why",
      call(),
      { state: "explained", reason: " no " },
      {},
      { ...seen, decision: "deny", reason: "no" },
    ],
    [
      "to remember",
      call(),
      { state: "allowed", remember: { scope: "agent", what: "tool" } },
      {},
      { ...seen, decision: "allow", remember: { scope: "agent", what: "tool" } },
    ],
  ])("%s", (_, given, choice, extra, decision) => {
    expect(decisionOf(given, choice, extra)).toEqual(decision);
  });
});

// The shapes of /workbench about deciding: what waits, rules, the log. See docs/workbench-api.md.
import type { Said } from "./said";

/** What a call would do, in the form that can be judged best. */
export type CallDetail =
  | { type: "diff"; path: string; diff: string; added: number; removed: number; new_file: boolean }
  | { type: "command"; command: string; folder: string; confinement: Said }
  | { type: "url"; url: string; host: string }
  | { type: "question"; question: string; choices: string[] }
  | { type: "text"; text: string };

/** What the rules say about a call. */
export type Verdict = { effect: RuleEffect; rule_id: string | null; because: Said };

/** A call that was begun before: what is known of it. */
export type CallOutcome = {
  state: "started" | "finished" | "unknown";
  status: string | null;
  started_at: string;
};

/** What of a call is not what it was: since it was first shown, or since the tool was last allowed. */
export type CallChange = {
  since: "shown" | "allowed";
  /** When it was the other way. */
  at: string;
  /** Who had allowed it; null when it was only shown. */
  decided_by: string | null;
  parts: ChangedPart[];
};

/** `what`: the source, the packages, the arguments … The diff is unified. */
export type ChangedPart = { what: string; diff: string; added: number; removed: number };

/** A way to say "calls like this one". */
export type Suggestion = { text: string; matches: unknown };

export type PendingCall = {
  tool_call_id: string;
  name: string;
  /** JSON text as the model wrote it. */
  arguments: string;
  /** Where it runs when allowed: on this machine, or in the server. */
  kind: "client" | "server";
  /** Whose tool it is: this machine's, a server's name. */
  server?: string | null;
  read_only?: boolean;
  /** Runs a command, writes outside the work folder, sends data away. */
  dangerous?: boolean;
  /** What it would do, when that can be said beforehand. */
  preview?: Said | null;
  detail?: CallDetail | null;
  /** What a decision is bound to: if the call or its tool has become another, allowing is refused. */
  hash?: string;
  /** Why it cannot be allowed here as things are. */
  problem?: Said | null;
  verdict?: Verdict;
  /** It is asked about again, because it became another. */
  changed?: CallChange | null;
  outcome?: CallOutcome | null;
  suggestions?: Suggestion[];
};

/** A turn that waits for a person. `id` is the approval request's message id. */
export type Approval = {
  /** Rules decide about every call, and Loci answers by itself. */
  answering?: boolean;
  id: string;
  /** `local` for the agents of this machine. */
  connection?: string;
  agent_id: string;
  agent_name: string;
  conversation_id: string | null;
  created_at: string;
  /** From then on it is denied, when nobody is there. */
  expires_at?: string | null;
  calls: PendingCall[];
};

export type Decision = {
  tool_call_id: string;
  /** `report`: nobody knows whether it ran, and the model is told so. */
  decision: "allow" | "deny" | "report";
  reason?: string;
  /** JSON text that replaces the model's arguments. */
  arguments?: string;
  /** The hash of the call as it was shown. */
  hash?: string;
  /** What the person says to a tool that asks them. */
  answer?: string;
  /** Needed to allow a call whose outcome is unknown. */
  run_again?: true;
  remember?: Remember;
};

export const REMEMBER_SCOPES = ["run", "conversation", "agent", "everywhere"] as const;
export const REMEMBER_WHATS = ["call", "pattern", "tool", "read_only"] as const;

/** A rule made in the same moment as a decision. */
export type Remember = {
  scope: (typeof REMEMBER_SCOPES)[number];
  what: (typeof REMEMBER_WHATS)[number];
  pattern?: string;
};

export type RuleEffect = "allow" | "ask" | "deny";

/** Where a rule holds. */
export type RuleScope = { type: "everywhere" | "agent" | "conversation" | "run" };

/** One thing a rule says about an argument; without a name, about what the call is about. */
export type RuleCondition = { name?: string | null; matches?: string | null; equals?: unknown };

/** Which calls a rule is about. */
export type RuleMatches =
  | { type: "call" | "tool"; tool: string }
  | { type: "pattern"; tool: string; arguments: RuleCondition[] }
  | { type: "read_only"; server: string };

/** What a rule says, in parts and as an English sentence. */
export type RuleSaid = {
  effect: RuleEffect;
  scope: RuleScope;
  matches: RuleMatches;
  /** The rule as one says it. */
  sentence: string;
  /** Of the agent its scope names. */
  agent_name: string | null;
};

export type Rule = RuleSaid & {
  id: string;
  /** The rule as one writes it. */
  text: string;
  note: string | null;
  created_at: string;
  revoked_at: string | null;
  uses: number;
  last_used_at: string | null;
  /** Why it cannot be applied; such a rule never allows. */
  problem: Said | null;
};

/** What a rule would have matched. */
export type Rehearsal = RuleSaid & {
  text: string;
  /** How many calls were looked at. */
  of: number;
  matched: number;
  calls: RehearsedCall[];
};

export type RehearsedCall = {
  sequence: number;
  at: string;
  agent_id: string;
  tool: string;
  arguments: string;
  outcome: string;
  decided_by: string;
  /** What would be decided now. */
  now: unknown;
};

/** One line of the log. */
export type AuditEntry = {
  sequence: number;
  at: string;
  event: "decided" | "started" | "finished" | "rule";
  connection: string;
  agent_id: string | null;
  conversation_id: string | null;
  message_id: string;
  tool_call_id: string;
  tool: string;
  kind: string;
  outcome: string;
  decided_by: string;
  rule_id: string | null;
  reason: string | null;
  hash: string;
  arguments: string;
  original_arguments: string | null;
  confinement: string | null;
  /** The same in its parts. */
  confined?: Said[];
};

/** Whether a person is asked: neither do rules answer it, nor does any of it run already. */
export function asksSomebody({ answering, calls }: Approval): boolean {
  return !answering && !calls.some(({ outcome }) => outcome?.state === "started");
}

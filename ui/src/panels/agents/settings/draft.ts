// What of an agent has been changed in its settings and not saved yet.
import type { Agent, AgentUpdate } from "@/api/types";

export type SectionProps = {
  /** The agent as it would be with what was changed. */
  agent: Agent;
  change: (change: Partial<AgentUpdate>) => void;
};

/** The agent as the sections show it. */
export function withDraft(agent: Agent, draft: Partial<AgentUpdate>): Agent {
  const { secrets: _, tool_exec_environment_variables: __, ...shown } = draft;
  const window = draft.context_window_limit ?? agent.llm_config.context_window;
  return {
    ...agent,
    ...(shown as Partial<Agent>),
    llm_config: { ...agent.llm_config, context_window: window },
  };
}

export type ToolRule = NonNullable<Agent["tool_rules"]>[number];
export type RuleType = ToolRule["type"];

/** The types there are, in the order they are offered. */
export const RULE_TYPES: readonly RuleType[] = [
  "requires_approval",
  "run_first",
  "exit_loop",
  "continue_loop",
  "required_before_exit",
  "max_count_per_step",
  "constrain_child_tools",
  "parent_last_tool",
  "conditional",
];

/** A rule of this type about a tool, with what the type needs; `other` is a tool that may follow. */
export function ruleOf(kind: RuleType, tool_name: string, other: string): ToolRule {
  switch (kind) {
    case "constrain_child_tools":
    case "parent_last_tool":
      return { type: kind, tool_name, children: [] };
    case "max_count_per_step":
      return { type: kind, tool_name, max_count_limit: 1 };
    case "conditional":
      return { type: kind, tool_name, child_output_mapping: { "": other } as never };
    case "requires_approval":
    case "run_first":
    case "exit_loop":
    case "continue_loop":
    case "required_before_exit":
      return { type: kind, tool_name };
    default:
      kind satisfies never;
      return { type: kind, tool_name };
  }
}

import { Plus, Trash2 } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/field";
import { RULE_TYPES, type RuleType, ruleOf, type SectionProps, type ToolRule } from "./draft";

/** When which tool may, must or must not run. */
export function RulesSection({ agent, change }: SectionProps) {
  const { t } = useTranslation();
  const rules = agent.tool_rules ?? [];
  const names = agent.tools.flatMap(({ name }) => (name ? [name] : []));
  const put = (at: number, rule: ToolRule) =>
    change({ tool_rules: rules.map((before, index) => (index === at ? rule : before)) });
  return (
    <>
      <p className="text-muted-foreground">{t("agentSettings.rules.explanation")}</p>
      <ul className="flex flex-col gap-2">
        {rules.map((rule, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two rules may say the same
          <li key={at} className="flex flex-col gap-2 rounded-md border bg-card p-2">
            <div className="flex gap-2">
              <Select
                aria-label={t("agentSettings.rules.tool")}
                value={rule.tool_name}
                onChange={(event) => put(at, { ...rule, tool_name: event.target.value })}
              >
                {[...new Set([...names, rule.tool_name])].map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </Select>
              <Select
                aria-label={t("agentSettings.rules.type")}
                value={rule.type}
                onChange={(event) => put(at, ruleOf(event.target.value as RuleType, rule.tool_name))}
              >
                {RULE_TYPES.map((type) => (
                  <option key={type} value={type}>
                    {t(`agentSettings.rules.types.${type}`)}
                  </option>
                ))}
              </Select>
              <Button
                size="icon"
                variant="quiet"
                aria-label={t("agentSettings.rules.remove", { tool: rule.tool_name })}
                title={t("agentSettings.rules.remove", { tool: rule.tool_name })}
                onClick={() => change({ tool_rules: rules.filter((_, index) => index !== at) })}
              >
                <Trash2 aria-hidden className="size-3.5" />
              </Button>
            </div>
            <RuleDetails rule={rule} names={names} onChange={(next) => put(at, next)} />
          </li>
        ))}
      </ul>
      <Button
        className="self-start"
        disabled={names.length === 0}
        onClick={() => change({ tool_rules: [...rules, ruleOf("requires_approval", names[0] ?? "")] })}
      >
        <Plus aria-hidden className="size-3.5" />
        {t("agentSettings.rules.add")}
      </Button>
    </>
  );
}

type DetailsProps = { rule: ToolRule; names: readonly string[]; onChange: (rule: ToolRule) => void };

function RuleDetails({ rule, names, onChange }: DetailsProps) {
  const { t } = useTranslation();
  const id = useId();
  switch (rule.type) {
    case "max_count_per_step":
      return (
        <div className="flex items-center gap-2 text-xs">
          <label htmlFor={id}>{t("agentSettings.rules.count")}</label>
          <Input
            id={id}
            type="number"
            min={1}
            className="w-20 py-0.5"
            value={rule.max_count_limit}
            onChange={(event) => {
              const count = event.target.valueAsNumber;
              if (Number.isInteger(count) && count > 0) onChange({ ...rule, max_count_limit: count });
            }}
          />
        </div>
      );
    case "constrain_child_tools":
    case "parent_last_tool":
      return (
        <fieldset className="flex flex-wrap gap-x-3 gap-y-1 text-xs">
          <legend className="mb-1 text-muted-foreground">{t("agentSettings.rules.children")}</legend>
          {names.map((name) => (
            <label key={name} className="flex items-center gap-1 font-mono">
              <input
                type="checkbox"
                className="accent-accent"
                checked={rule.children.includes(name)}
                onChange={(event) =>
                  onChange({
                    ...rule,
                    children: event.target.checked
                      ? [...rule.children, name]
                      : rule.children.filter((child) => child !== name),
                  })
                }
              />
              {name}
            </label>
          ))}
        </fieldset>
      );
    case "conditional":
      return (
        <pre className="max-h-32 overflow-auto rounded-sm bg-muted px-2 py-1 font-mono text-xs">
          {JSON.stringify(rule.child_output_mapping, null, 2)}
        </pre>
      );
    case "requires_approval":
    case "run_first":
    case "exit_loop":
    case "continue_loop":
    case "required_before_exit":
      return null;
    default:
      rule satisfies never;
      return null;
  }
}

import { Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { RULE_TYPES, type RuleType, ruleOf, type SectionProps, type ToolRule } from "./draft";
import { RuleDetails } from "./rule-details";

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
                className="w-2/5 shrink-0"
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
                onChange={(event) =>
                  put(at, ruleOf(event.target.value as RuleType, rule.tool_name, names[0] ?? rule.tool_name))
                }
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
            <RuleDetails key={rule.type} rule={rule} names={names} onChange={(next) => put(at, next)} />
          </li>
        ))}
      </ul>
      <Button
        className="self-start"
        disabled={names.length === 0}
        onClick={() => change({ tool_rules: [...rules, ruleOf("requires_approval", names[0] ?? "", "")] })}
      >
        <Plus aria-hidden className="size-3.5" />
        {t("agentSettings.rules.add")}
      </Button>
    </>
  );
}

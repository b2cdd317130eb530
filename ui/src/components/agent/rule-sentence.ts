// A rule as one says it, in the language of the window.
import type { TFunction } from "i18next";
import type { RuleCondition, RuleMatches, RuleSaid } from "@/api/approvals";

export function ruleSentence(rule: RuleSaid, t: TFunction): string {
  const where = t(`rules.where.${rule.scope.type}`, { agent: rule.agent_name ?? t("rules.anAgent") });
  return t(`rules.sentence.${rule.effect}`, { what: whatOf(rule.matches, t), where });
}

function whatOf(matches: RuleMatches, t: TFunction): string {
  switch (matches.type) {
    case "call":
    case "tool":
      return t(`rules.what.${matches.type}`, { tool: matches.tool });
    case "read_only":
      return t("rules.what.read_only", {
        server: matches.server === "this machine" ? t("rules.thisMachine") : matches.server,
      });
    case "pattern": {
      const conditions = matches.arguments.map((each) => conditionOf(each, t)).join(t("rules.and"));
      return t("rules.what.pattern", { tool: matches.tool, conditions });
    }
    default:
      matches satisfies never;
      return "";
  }
}

function conditionOf({ name, matches, equals }: RuleCondition, t: TFunction): string {
  const subject = name ?? t("rules.subject");
  return typeof matches === "string"
    ? t("rules.matches", { name: subject, pattern: matches })
    : t("rules.is", { name: subject, value: JSON.stringify(equals ?? null) });
}

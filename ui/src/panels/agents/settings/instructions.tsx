import { useTranslation } from "react-i18next";
import { Field, Textarea } from "@/components/ui/field";
import { lengthOf } from "@/lib/length";
import type { SectionProps } from "./draft";

export function InstructionsSection({ agent, change }: SectionProps) {
  const { t, i18n } = useTranslation();
  const length = lengthOf(agent.system);
  return (
    <Field
      className="min-h-0 flex-1"
      label={t("agentSettings.instructions.system")}
      hint={t("agentSettings.instructions.hint", {
        count: length,
        shown: length.toLocaleString(i18n.language),
      })}
    >
      {(control) => (
        <Textarea
          {...control}
          className="min-h-48 flex-1 resize-none font-mono text-xs leading-5"
          value={agent.system}
          onChange={(event) => change({ system: event.target.value })}
        />
      )}
    </Field>
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Field, Input, Textarea } from "@/components/ui/field";
import { tagsFrom } from "@/lib/tags";
import { NameField } from "../name-field";
import type { SectionProps } from "./draft";

export function GeneralSection({ agent, change }: SectionProps) {
  const { t } = useTranslation();
  const [tags, setTags] = useState(agent.tags.join(", "));
  return (
    <>
      <NameField value={agent.name} onChange={(name) => change({ name })} />
      <Field label={t("agentSettings.description")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            value={agent.description ?? ""}
            onChange={(event) => change({ description: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("agents.tags")} hint={t("agentSettings.tagsHint")}>
        {(control) => (
          <Input
            {...control}
            value={tags}
            onChange={(event) => {
              setTags(event.target.value);
              change({ tags: tagsFrom(event.target.value) });
            }}
          />
        )}
      </Field>
      <Field label={t("agentSettings.timezone")} hint={t("agentSettings.timezoneHint")}>
        {(control) => (
          <Input
            {...control}
            value={agent.timezone ?? ""}
            onChange={(event) => change({ timezone: event.target.value })}
          />
        )}
      </Field>
      <p className="text-xs text-muted-foreground">
        {t("agentSettings.id")} <code className="font-mono select-all">{agent.id}</code>
      </p>
    </>
  );
}

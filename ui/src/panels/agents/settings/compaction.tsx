import { useTranslation } from "react-i18next";
import { ModelPicker } from "@/components/agent/model-picker";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { useModels } from "../queries";
import type { SectionProps } from "./draft";

const MODES = ["sliding_window", "all", "self_compact_sliding_window", "self_compact_all"] as const;

/** What happens when the conversation no longer fits. */
export function CompactionSection({ agent, change }: SectionProps) {
  const { t } = useTranslation();
  const models = useModels();
  const settings: Record<string, unknown> = agent.compaction_settings ?? {};
  const set = (key: string, value: unknown) =>
    change({ compaction_settings: { ...settings, [key]: value } as never });
  const mode = typeof settings.mode === "string" ? settings.mode : "sliding_window";
  const share =
    typeof settings.sliding_window_percentage === "number" ? settings.sliding_window_percentage : 0.3;
  return (
    <>
      <p className="text-muted-foreground">{t("agentSettings.compaction.explanation")}</p>
      <Field label={t("agentSettings.compaction.mode")}>
        {(control) => (
          <Select {...control} value={mode} onChange={(event) => set("mode", event.target.value)}>
            {MODES.map((one) => (
              <option key={one} value={one}>
                {t(`agentSettings.compaction.modes.${one}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {mode.endsWith("sliding_window") ? (
        <Field label={t("agentSettings.compaction.share")}>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={5}
              max={95}
              step={5}
              value={Math.round(share * 100)}
              onChange={(event) => {
                const percent = event.target.valueAsNumber;
                if (percent > 0 && percent < 100) set("sliding_window_percentage", percent / 100);
              }}
            />
          )}
        </Field>
      ) : null}
      <Field label={t("agentSettings.compaction.model")}>
        {(control) => (
          <ModelPicker
            {...control}
            models={models.data ?? []}
            value={typeof settings.model === "string" ? settings.model : ""}
            onChange={(handle) => set("model", handle || null)}
            none={t("agentSettings.compaction.ownModel")}
          />
        )}
      </Field>
      <Field label={t("agentSettings.compaction.prompt")} hint={t("agentSettings.compaction.promptHint")}>
        {(control) => (
          <Textarea
            {...control}
            rows={5}
            value={typeof settings.prompt === "string" ? settings.prompt : ""}
            onChange={(event) => set("prompt", event.target.value || null)}
          />
        )}
      </Field>
    </>
  );
}

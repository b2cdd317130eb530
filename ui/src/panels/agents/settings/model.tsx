import { useTranslation } from "react-i18next";
import { ModelPicker } from "@/components/agent/model-picker";
import { Field, Input, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { handleOf, isRehearsal, providerTypeOf, windowOf } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";
import { ModelFitness } from "../model-fitness";
import { useModels } from "../queries";
import type { SectionProps } from "./draft";

const EFFORTS = ["minimal", "low", "medium", "high"];

/** Kinds of providers that can be told how long to keep a prompt. */
const KEEPS_PROMPTS = ["anthropic", "openai", "openrouter", "azure"];

/** The settings every provider understands; what else there is stays as it was. */
export function ModelSection({ agent, change }: SectionProps) {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const models = useModels();
  const settings: Record<string, unknown> = agent.model_settings ?? {};
  const window = agent.llm_config.context_window;
  const set = (key: string, value: unknown) =>
    change({ model_settings: { ...settings, [key]: value } as never });
  const chosen = models.data?.find((one) => handleOf(one) === agent.model);
  const most = windowOf(chosen);
  const provider = providerTypeOf(chosen);
  const reasoning = settings.reasoning as { reasoning_effort?: string } | undefined;
  return (
    <>
      {models.error ? <Problem {...failure.of(models.error)} /> : null}
      <Field
        label={t("agents.model")}
        hint={isRehearsal(agent.model) ? t("models.rehearsalHint") : undefined}
      >
        {(control) => (
          <ModelPicker
            {...control}
            models={models.data ?? []}
            value={agent.model ?? ""}
            // Settings belong to a provider: another model begins with its own.
            onChange={(handle) => change({ model: handle })}
            {...(agent.model ? {} : { none: t("agents.noModel") })}
          />
        )}
      </Field>
      <ModelFitness model={agent.model ?? ""} />
      <Field
        label={t("agentSettings.model.window")}
        hint={
          most === null
            ? undefined
            : t("agentSettings.model.windowMost", { shown: most.toLocaleString(i18n.language) })
        }
      >
        {(control) => (
          <Input
            {...control}
            type="number"
            min={1000}
            max={most ?? undefined}
            step={1}
            value={window}
            onChange={(event) => {
              const limit = event.target.valueAsNumber;
              if (!Number.isInteger(limit)) return;
              change({ context_window_limit: limit });
            }}
          />
        )}
      </Field>
      <Field label={t("agentSettings.model.temperature")} hint={t("agentSettings.model.temperatureHint")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={0}
            max={2}
            step={0.1}
            value={numberOf(settings.temperature)}
            onChange={(event) => {
              if (!Number.isNaN(event.target.valueAsNumber)) set("temperature", event.target.valueAsNumber);
            }}
          />
        )}
      </Field>
      <Field label={t("agentSettings.model.output")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={1}
            step={1}
            value={numberOf(settings.max_output_tokens)}
            onChange={(event) => {
              if (!Number.isNaN(event.target.valueAsNumber))
                set("max_output_tokens", event.target.valueAsNumber);
            }}
          />
        )}
      </Field>
      {reasoning ? (
        <Field label={t("agentSettings.model.effort")}>
          {(control) => (
            <Select
              {...control}
              value={reasoning.reasoning_effort ?? ""}
              onChange={(event) => set("reasoning", { ...reasoning, reasoning_effort: event.target.value })}
            >
              {[...new Set([...EFFORTS, reasoning.reasoning_effort ?? "minimal"])].map((effort) => (
                <option key={effort} value={effort}>
                  {effort}
                </option>
              ))}
            </Select>
          )}
        </Field>
      ) : null}
      {KEEPS_PROMPTS.includes(provider) ? (
        <Field label={t("agentSettings.model.cache")} hint={t("agentSettings.model.cacheHint")}>
          {(control) => (
            <Select
              {...control}
              value={settings.cache_ttl === "1h" ? "1h" : ""}
              onChange={(event) => set("cache_ttl", event.target.value || null)}
            >
              <option value="">{t("agentSettings.model.cacheShort")}</option>
              <option value="1h">{t("agentSettings.model.cacheLong")}</option>
            </Select>
          )}
        </Field>
      ) : null}
      {provider === "ollama" ? (
        <Field label={t("agentSettings.model.keepAlive")} hint={t("agentSettings.model.keepAliveHint")}>
          {(control) => (
            <Input
              {...control}
              placeholder="30m"
              pattern="-1|[0-9]{1,9}(ms|s|m|h)?"
              value={typeof settings.keep_alive === "string" ? settings.keep_alive : ""}
              onChange={(event) => set("keep_alive", event.target.value.trim() || null)}
            />
          )}
        </Field>
      ) : null}
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          className="accent-accent"
          checked={settings.parallel_tool_calls === true}
          onChange={(event) => set("parallel_tool_calls", event.target.checked)}
        />
        {t("agentSettings.model.parallel")}
      </label>
    </>
  );
}

function numberOf(value: unknown): number | "" {
  return typeof value === "number" ? value : "";
}

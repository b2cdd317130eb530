import type { ComponentProps } from "react";
import { useTranslation } from "react-i18next";
import type { Model } from "@/api/types";
import { Select } from "@/components/ui/field";
import { handleOf, isRehearsal } from "@/lib/model-name";

type ModelSelectProps = ComponentProps<typeof Select> & { models: readonly Model[] };

/** The models by provider. A value that is not among them stays choosable: its server may be away. */
export function ModelSelect({ models, value, children, ...rest }: ModelSelectProps) {
  const { t } = useTranslation();
  const handles = models.map(handleOf);
  const absent = typeof value === "string" && value !== "" && !handles.includes(value);
  return (
    <Select value={value} {...rest}>
      {children}
      {absent ? <option value={value}>{t("agents.modelAway", { model: value })}</option> : null}
      {groups(models).map(([provider, members]) => (
        <optgroup key={provider} label={provider}>
          {members.map((member) => (
            <option key={handleOf(member)} value={handleOf(member)}>
              {handleOf(member)}
              {isRehearsal(handleOf(member)) ? ` (${t("models.noAi")})` : ""}
            </option>
          ))}
        </optgroup>
      ))}
    </Select>
  );
}

function groups(models: readonly Model[]): Array<[provider: string, models: Model[]]> {
  const byProvider = new Map<string, Model[]>();
  for (const model of models) {
    const provider = handleOf(model).split("/")[0] ?? "";
    byProvider.set(provider, [...(byProvider.get(provider) ?? []), model]);
  }
  return [...byProvider];
}

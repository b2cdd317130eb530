import { useTranslation } from "react-i18next";
import { Field, Input, Textarea } from "@/components/ui/field";

/** What of a block a form asks for besides its value. `limit` is not a number while nothing is written. */
export type BlockFieldValues = { label: string; description: string; limit: number };

/** Letters without accents, digits, and a few signs: what tools can name a block by. */
const LABEL = /^[A-Za-z0-9_/-]+$/;

export function blockFieldsFit({ label, limit }: BlockFieldValues): boolean {
  return LABEL.test(label) && limit >= 1;
}

type BlockFieldsProps = {
  values: BlockFieldValues;
  onChange: (change: Partial<BlockFieldValues>) => void;
  /** Stands between the description and the limit. */
  children?: React.ReactNode;
};

/** Label, description and limit of a block, for creating and for changing it. */
export function BlockFields({ values, onChange, children }: BlockFieldsProps) {
  const { t } = useTranslation();
  const badLabel = values.label !== "" && !LABEL.test(values.label);
  return (
    <>
      <Field
        label={t("block.label")}
        hint={t("block.labelHint")}
        problem={badLabel ? t("block.labelBad") : undefined}
      >
        {(control) => (
          <Input
            {...control}
            required
            maxLength={50}
            value={values.label}
            onChange={(event) => onChange({ label: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("block.description")} hint={t("block.descriptionHint")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            value={values.description}
            onChange={(event) => onChange({ description: event.target.value })}
          />
        )}
      </Field>
      {children}
      <Field label={t("block.limit")} hint={t("block.limitHint")}>
        {(control) => (
          <Input
            {...control}
            type="number"
            min={1}
            step={1}
            required
            value={Number.isNaN(values.limit) ? "" : values.limit}
            onChange={(event) => onChange({ limit: event.target.valueAsNumber })}
          />
        )}
      </Field>
    </>
  );
}

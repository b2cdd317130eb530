import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Field, Textarea } from "@/components/ui/field";

type FilledArgumentsProps = {
  label: string;
  value: Record<string, unknown> | null;
  /** `null` when nothing is filled in. */
  onChange: (value: Record<string, unknown> | null) => void;
};

/** Arguments given beforehand, as a JSON object. What is no object keeps the form from being saved. */
export function FilledArguments({ label, value, onChange }: FilledArgumentsProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => (value === null ? "" : JSON.stringify(value)));
  const broken = read(text) === undefined;
  return (
    <Field
      label={<span className="text-xs font-normal text-muted-foreground">{label}</span>}
      problem={broken ? t("approval.notJson") : undefined}
    >
      {(control) => (
        <Textarea
          {...control}
          ref={(element) => element?.setCustomValidity(broken ? t("approval.notJson") : "")}
          rows={1}
          spellCheck={false}
          placeholder="{}"
          className="py-1 font-mono text-xs"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            const given = read(event.target.value);
            if (given !== undefined) onChange(given);
          }}
        />
      )}
    </Field>
  );
}

/** An object, `null` for nothing, `undefined` for anything else. */
function read(text: string): Record<string, unknown> | null | undefined {
  if (text.trim() === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

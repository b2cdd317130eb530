import type { TFunction } from "i18next";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Field, Input, Select, Textarea } from "./field";

/** As much of JSON Schema as arguments of tools use; whatever else there is, is written as JSON. */
export type JsonSchema = {
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  minimum?: number;
  maximum?: number;
};

export type FormValue = Record<string, unknown>;

type SchemaFormProps = {
  schema: JsonSchema;
  value: FormValue;
  /** `valid` is false while something written is no JSON. */
  onChange: (value: FormValue, valid: boolean) => void;
  disabled?: boolean;
};

/** A field for every property. What is left empty is left out. */
export function SchemaForm({ schema, value, onChange, disabled = false }: SchemaFormProps) {
  const [broken, setBroken] = useState<readonly string[]>([]);
  return (
    <div className="flex flex-col gap-3">
      {Object.entries(schema.properties ?? {}).map(([name, property]) => (
        <Property
          key={name}
          name={name}
          schema={plain(property)}
          required={schema.required?.includes(name) ?? false}
          value={value[name]}
          disabled={disabled}
          onChange={(next, valid) => {
            const { [name]: _, ...others } = value;
            const bad = broken.filter((each) => each !== name).concat(valid ? [] : [name]);
            setBroken(bad);
            onChange(next === undefined ? others : { ...others, [name]: next }, bad.length === 0);
          }}
        />
      ))}
    </div>
  );
}

/** Required properties that have no value yet. */
export function missingIn(schema: JsonSchema, value: FormValue): string[] {
  return (schema.required ?? []).filter((name) => value[name] === undefined);
}

type PropertyProps = {
  name: string;
  schema: JsonSchema;
  required: boolean;
  value: unknown;
  disabled: boolean;
  onChange: (value: unknown, valid: boolean) => void;
};

function Property(props: PropertyProps) {
  const { name, schema, required, value, disabled, onChange } = props;
  const { t } = useTranslation();
  if (schema.type === "object" && schema.properties) return <Nested {...props} />;
  const label = (
    <>
      <span className="font-mono text-xs">{name}</span>
      <span className="ml-1.5 text-xs font-normal text-muted-foreground">
        {typeWords(schema, t)}
        {required ? "" : ` · ${t("form.optional")}`}
      </span>
    </>
  );
  const fallback =
    schema.default === undefined ? undefined : t("form.default", { value: JSON.stringify(schema.default) });
  const hint = schema.description ?? fallback;
  const choices = schema.const === undefined ? schema.enum : [schema.const];
  if (choices || schema.type === "boolean") {
    const options = choices ?? [true, false];
    return (
      <Field label={label} hint={hint}>
        {(control) => (
          <Select
            {...control}
            disabled={disabled}
            value={value === undefined ? "" : JSON.stringify(value)}
            onChange={(event) =>
              onChange(event.target.value === "" ? undefined : JSON.parse(event.target.value), true)
            }
          >
            <option value="">{fallback ?? t("form.none")}</option>
            {options.map((option) => (
              <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
                {String(option)}
              </option>
            ))}
          </Select>
        )}
      </Field>
    );
  }
  if (schema.type === "integer" || schema.type === "number") {
    return (
      <Field label={label} hint={hint}>
        {(control) => (
          <Input
            {...control}
            type="number"
            disabled={disabled}
            step={schema.type === "integer" ? 1 : "any"}
            min={schema.minimum}
            max={schema.maximum}
            placeholder={fallback}
            value={typeof value === "number" ? value : ""}
            onChange={(event) =>
              onChange(
                Number.isNaN(event.target.valueAsNumber) ? undefined : event.target.valueAsNumber,
                true,
              )
            }
          />
        )}
      </Field>
    );
  }
  if (schema.type === "string") {
    return (
      <Field label={label} hint={hint}>
        {(control) => (
          <Textarea
            {...control}
            rows={1}
            disabled={disabled}
            placeholder={fallback}
            value={typeof value === "string" ? value : ""}
            onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value, true)}
          />
        )}
      </Field>
    );
  }
  return <AsJson label={label} hint={hint} placeholder={fallback} {...props} />;
}

function Nested({ name, schema, value, disabled, onChange }: PropertyProps) {
  const id = useId();
  const inner = typeof value === "object" && value !== null ? (value as FormValue) : {};
  return (
    <fieldset aria-labelledby={id} className="flex flex-col gap-2 border-l-2 pl-3">
      <p id={id} className="font-mono text-xs font-medium">
        {name}
      </p>
      {schema.description ? <p className="text-xs text-muted-foreground">{schema.description}</p> : null}
      <SchemaForm
        schema={schema}
        value={inner}
        disabled={disabled}
        onChange={(next, valid) => onChange(Object.keys(next).length > 0 ? next : undefined, valid)}
      />
    </fieldset>
  );
}

type AsJsonProps = PropertyProps & {
  label: React.ReactNode;
  hint: string | undefined;
  placeholder: string | undefined;
};

/** Lists, records and everything else: written as JSON. */
function AsJson({ label, hint, placeholder, value, disabled, onChange }: AsJsonProps) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value)));
  const broken = parse(text) === NOT_JSON;
  return (
    <Field label={label} hint={hint} problem={broken ? t("form.notJson") : undefined}>
      {(control) => (
        <Textarea
          {...control}
          rows={2}
          spellCheck={false}
          disabled={disabled}
          placeholder={placeholder}
          className="font-mono text-xs"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            const parsed = parse(event.target.value);
            onChange(parsed === NOT_JSON ? undefined : parsed, parsed !== NOT_JSON);
          }}
        />
      )}
    </Field>
  );
}

const NOT_JSON = Symbol("not JSON");

function parse(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

/** `X | null` is X that may be left out. */
function plain(schema: JsonSchema): JsonSchema {
  const some = schema.anyOf?.filter(({ type }) => type !== "null");
  if (some?.length === 1) {
    const { anyOf: _, ...outer } = schema;
    return { ...some[0], ...outer };
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== "null");
    if (types.length === 1 && types[0]) return { ...schema, type: types[0] };
  }
  return schema;
}

function typeWords(schema: JsonSchema, t: TFunction): string {
  if (schema.enum) return "";
  const inner = (each: JsonSchema) => typeWords(plain(each), t);
  if (schema.type === "array") {
    return t("form.arrayOf", { items: (schema.items && inner(schema.items)) || t("form.anything") });
  }
  if (typeof schema.type === "string") return schema.type;
  return schema.anyOf?.map(inner).join(" | ") ?? t("form.anything");
}

// The two controls forms are mostly made of, each with its label: a choice, and a line of text.
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { Field, Input, Select } from "./field";

type ChoiceFieldProps<T extends string> = {
  label: ReactNode;
  hint?: ReactNode;
  value: T;
  options: readonly { value: T; text: string }[];
  className?: string;
  onChange: (value: T) => void;
};

export function ChoiceField<T extends string>({
  label,
  hint,
  value,
  options,
  className,
  onChange,
}: ChoiceFieldProps<T>) {
  return (
    <Field label={label} hint={hint} {...(className ? { className } : {})}>
      {(control) => (
        <Select {...control} value={value} onChange={(event) => onChange(event.target.value as T)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

type TextFieldProps = {
  label: ReactNode;
  hint?: ReactNode;
  problem?: ReactNode;
  value: string;
  /** Names, patterns and paths: monospace, and no spelling help. */
  code?: boolean;
  /** Keys and passwords: not shown, and not remembered by the page. */
  secret?: boolean;
  type?: "text" | "url";
  autoFocus?: boolean;
  required?: boolean;
  maxLength?: number;
  placeholder?: string;
  className?: string;
  onChange: (value: string) => void;
};

export function TextField({
  label,
  hint,
  problem,
  code = false,
  secret = false,
  type = "text",
  className,
  onChange,
  ...rest
}: TextFieldProps) {
  return (
    <Field label={label} hint={hint} problem={problem} {...(className ? { className } : {})}>
      {(control) => (
        <Input
          {...control}
          {...rest}
          type={secret ? "password" : type}
          autoComplete={secret ? "off" : undefined}
          spellCheck={!code && !secret}
          className={cn(secret && "font-mono", code && "font-mono text-xs")}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

// Reading a call's arguments: JSON text as the model wrote it, possibly not finished or not JSON at all.

import { withoutSecrets } from "./secrets";

export type Argument = {
  name: string;
  value: string;
  /** There is a secret in it that `value` does not show. */
  masked: boolean;
};

/**
 * Every argument by name, secrets masked unless they are asked for; `null` when the text is not a JSON object, and is
 * then shown as it is.
 */
export function readArguments(json: string, secrets = false): Argument[] | null {
  const text = json.trim();
  if (text === "") return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
  const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  const shown = secrets ? parsed : (withoutSecrets(parsed) as object);
  const whole = new Map(Object.entries(parsed));
  return Object.entries(shown).map(([name, value]) => ({
    name,
    value: textOf(value),
    masked: textOf(value) !== textOf(whole.get(name)),
  }));
}

/** The one argument worth showing in a line: the first that is a short text. */
export function mainArgument(json: string): string {
  const all = readArguments(json);
  if (!all) return json;
  const telling = all.filter(({ masked }) => !masked);
  const first = telling.find(({ value }) => value.length > 0 && value.length <= 200) ?? telling[0] ?? all[0];
  return first ? first.value.replace(/\s+/g, " ") : "";
}

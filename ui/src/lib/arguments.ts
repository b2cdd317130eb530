// Reading a call's arguments: JSON text as the model wrote it, possibly not finished or not JSON at all.

export type Argument = { name: string; value: string };

/** Every argument by name; `null` when the text is not a JSON object, and is then shown as it is. */
export function readArguments(json: string): Argument[] | null {
  const text = json.trim();
  if (text === "") return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
  return Object.entries(parsed).map(([name, value]) => ({
    name,
    value: typeof value === "string" ? value : JSON.stringify(value, null, 2),
  }));
}

/** The one argument worth showing in a line: the first that is a short text. */
export function mainArgument(json: string): string {
  const all = readArguments(json);
  if (!all) return json;
  const first = all.find(({ value }) => value.length > 0 && value.length <= 200) ?? all[0];
  return first ? first.value.replace(/\s+/g, " ") : "";
}

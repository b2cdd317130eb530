// The sentences of Loci's own routes in the person's language: made of a code and values, else as they came.
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { Said } from "@/api/said";
import { isSaid } from "@/api/said";

/** Says a sentence. One this window has no words for stays as the server wrote it. */
export function say(said: Said, t: TFunction, language: string): string {
  const key = `said.${said.code}`;
  if (!said.code || t(key, { defaultValue: "" }) === "") return said.message;
  const values = Object.entries(said.values ?? {}).map(([name, value]) => [name, worded(value, t, language)]);
  return String(t(key, Object.fromEntries(values)));
}

/** A value as it stands in a sentence: another sentence, a number as it is written there, or a text. */
function worded(value: unknown, t: TFunction, language: string): unknown {
  if (isSaid(value)) return say(value, t, language);
  return typeof value === "number" ? value.toLocaleString(language) : value;
}

/** Says sentences in the language of the window; nothing of nothing. */
export function useSay() {
  const { t, i18n } = useTranslation();
  return (said: Said | null | undefined) => (said ? say(said, t, i18n.language) : null);
}

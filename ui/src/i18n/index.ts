// The words of the window. A language is one file here and one line below.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Language } from "@/api/workbench";
import de from "./de.json";
import en from "./en.json";

const LANGUAGES = { en, de };

export async function initI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: Object.fromEntries(
      Object.entries(LANGUAGES).map(([name, words]) => [name, { translation: words }]),
    ),
    lng: systemLanguage(),
    fallbackLng: "en",
    // React escapes.
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
}

export function chooseLanguage(language: Language): void {
  const next = language === "system" ? systemLanguage() : language;
  document.documentElement.lang = next;
  if (next !== i18next.language) void i18next.changeLanguage(next);
}

/** WebKit without a locale calls itself "C"; that, and whatever is not translated, is English. */
function systemLanguage(): keyof typeof LANGUAGES {
  const wanted = navigator.languages.map((tag) => tag.split("-")[0] ?? "");
  return wanted.find((tag): tag is keyof typeof LANGUAGES => tag in LANGUAGES) ?? "en";
}

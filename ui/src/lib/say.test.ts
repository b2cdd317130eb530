import i18next from "i18next";
import { beforeAll, expect, it } from "vitest";
import de from "@/i18n/de.json";
import en from "@/i18n/en.json";
import { say } from "./say";

const i18n = i18next.createInstance();

beforeAll(async () => {
  await i18n.init({
    resources: { de: { translation: de }, en: { translation: en } },
    interpolation: { escapeValue: false },
  });
});

const inLanguage = (language: string, said: Parameters<typeof say>[0]) =>
  say(said, i18n.getFixedT(language), language);

const locked = { code: "keyring_locked", message: "it is locked, and nobody unlocked it" };

it.each([
  [
    "a sentence in a sentence",
    {
      code: "connection_key_unreadable",
      values: { name: "Office", why: { code: "keyring_unusable", values: { why: locked }, message: "x" } },
      message: "x",
    },
    "The key of Office cannot be read. The keyring of this computer cannot be used: it is locked, and nobody unlocked it.",
    "Der Schlüssel von Office lässt sich nicht lesen. Der Schlüsselbund dieses Rechners ist nicht verwendbar: er ist gesperrt, und niemand hat ihn entsperrt.",
  ],
  [
    "numbers",
    { code: "llama_starts_again", values: { seconds: 1.5 }, message: "x" },
    "It ended by itself and is started again in 1.5 s.",
    "Es endete von selbst und startet in 1,5 s wieder.",
  ],
  [
    "values that look like words of ours",
    { code: "folder_missing", values: { path: "/{{path}}/$t(common.cancel)" }, message: "x" },
    "There is no folder /{{path}}/$t(common.cancel).",
    "Den Ordner /{{path}}/$t(common.cancel) gibt es nicht.",
  ],
  [
    "a provider's own words",
    { code: "llm_error", values: { said: "It is down." }, message: "It is down." },
    "It is down.",
    "Der Server des Modells hat nicht geliefert. Im Wortlaut: „It is down.“",
  ],
  ["a code nobody knows", { code: "of_tomorrow", message: "As it came." }, "As it came.", "As it came."],
  ["words from elsewhere", { message: "As they came." }, "As they came.", "As they came."],
])("says %s in each language", (_, said, english, german) => {
  expect(inLanguage("en", said)).toBe(english);
  expect(inLanguage("de", said)).toBe(german);
});

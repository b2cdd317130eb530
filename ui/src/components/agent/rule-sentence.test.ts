import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import type { RuleSaid } from "@/api/approvals";
import de from "@/i18n/de.json";
import en from "@/i18n/en.json";
import { ruleSentence } from "./rule-sentence";

const words = i18next.createInstance();
beforeAll(() =>
  words.init({
    lng: "en",
    resources: { en: { translation: en }, de: { translation: de } },
    interpolation: { escapeValue: false },
  }),
);

const RULES: [RuleSaid, string][] = [
  [
    {
      effect: "allow",
      scope: { type: "agent" },
      matches: {
        type: "pattern",
        tool: "send",
        arguments: [
          { name: "to", matches: "*@example.org" },
          { name: "copies", equals: 1 },
        ],
      },
      agent_name: "Mercury",
      sentence:
        "Loci will run without asking: send when to matches *@example.org and copies is 1, for Mercury until you revoke this.",
    },
    "Loci führt ohne zu fragen aus: send, wenn to zu *@example.org passt und copies 1 ist, für Mercury, bis Sie das widerrufen.",
  ],
  [
    {
      effect: "deny",
      scope: { type: "everywhere" },
      matches: { type: "tool", tool: "*" },
      agent_name: null,
      sentence:
        "Loci will refuse without asking: * with any arguments, for every agent until you revoke this.",
    },
    "Loci lehnt ohne zu fragen ab: * mit beliebigen Argumenten, für jeden Agenten, bis Sie das widerrufen.",
  ],
  [
    {
      effect: "ask",
      scope: { type: "run" },
      matches: { type: "read_only", server: "this machine" },
      agent_name: "Mercury",
      sentence:
        "Loci will ask before it runs: every tool of this machine that only reads, for Mercury until it has answered.",
    },
    "Loci fragt vor dem Ausführen: jedes Werkzeug von diesem Rechner, das nur liest, für Mercury, bis er geantwortet hat.",
  ],
];

describe("a rule as one says it", () => {
  it.each(RULES)("%j", (rule, german) => {
    expect(ruleSentence(rule, words.getFixedT("en"))).toBe(rule.sentence);
    expect(ruleSentence(rule, words.getFixedT("de"))).toBe(german);
  });
});

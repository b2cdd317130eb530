// A conversation as Markdown, for taking it elsewhere: what was said in full, what was done in a line each.
import { mainArgument } from "@/lib/arguments";
import type { Part, Turn } from "./project";

/** The words around what was said, in the person's language. */
export type Labels = { you: string; agent: string; summary: string };

export function conversationMarkdown(turns: readonly Turn[], labels: Labels): string {
  let speaker = "";
  const pieces: string[] = [];
  for (const turn of turns) {
    const text = turnMarkdown(turn);
    if (!text) continue;
    const who = turn.role === "note" ? labels.summary : turn.role === "user" ? labels.you : labels.agent;
    if (who !== speaker) pieces.push(`## ${who}`);
    speaker = who;
    pieces.push(text);
  }
  return pieces.length > 0 ? `${pieces.join("\n\n")}\n` : "";
}

/** One turn, without reasoning; an event has no words. */
export function turnMarkdown(turn: Turn): string {
  switch (turn.role) {
    case "user":
      return [
        turn.text,
        ...turn.pictures.map((picture) => (picture.kind === "link" ? `<${picture.url}>` : "")),
      ]
        .filter(Boolean)
        .join("\n\n");
    case "agent":
      return turn.parts.map(partMarkdown).filter(Boolean).join("\n\n");
    case "note":
      return turn.kind === "summary" ? turn.text : "";
    default:
      turn satisfies never;
      return "";
  }
}

function partMarkdown(part: Part): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "reasoning":
    case "unknown":
      return "";
    case "tool": {
      const main = mainArgument(part.arguments);
      return `- ${code(part.name)}${main ? ` ${code(main)}` : ""}${part.result ? `\n\n${fenced(part.result.text)}` : ""}`;
    }
    default:
      part satisfies never;
      return "";
  }
}

/** Inline code whatever backticks are in it. */
function code(text: string): string {
  const mark = "`".repeat(longest(text) + 1);
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${mark}${pad}${text}${pad}${mark}`;
}

function fenced(text: string): string {
  const mark = "`".repeat(Math.max(3, longest(text) + 1));
  return `${mark}\n${text}\n${mark}`;
}

/** The longest row of backticks in a text. */
function longest(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([row]) => row.length));
}

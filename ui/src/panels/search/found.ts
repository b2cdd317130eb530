// What a search of messages answers, as rows to show: the kinds differ, the rows do not.

export type FoundMessage = {
  id: string;
  agentId: string | null;
  conversationId: string | null;
  role: "user" | "assistant" | "reasoning" | "system";
  text: string;
  date: string | null;
};

const ROLES: Record<string, FoundMessage["role"]> = {
  user_message: "user",
  assistant_message: "assistant",
  reasoning_message: "reasoning",
  system_message: "system",
};

/** Rows of the answer; what this version does not know is left out. */
export function readFound(answer: unknown): FoundMessage[] {
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((entry: unknown): FoundMessage[] => {
    if (typeof entry !== "object" || entry === null) return [];
    const { message_type, message_id, agent_id, conversation_id, content, reasoning, created_at } =
      entry as Record<string, unknown>;
    const role = ROLES[String(message_type)];
    const id = text(message_id);
    if (!role || !id) return [];
    return [
      {
        id,
        agentId: text(agent_id),
        conversationId: text(conversation_id),
        role,
        text: words(content ?? reasoning),
        date: text(created_at),
      },
    ];
  });
}

/** The stretch of a text around the first of the words, short enough for a row. */
export function stretch(body: string, sought: string, most = 140): string {
  const flat = body.replace(/\s+/g, " ").trim();
  const lower = flat.toLocaleLowerCase();
  const at = sought
    .toLocaleLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => lower.indexOf(word))
    .filter((found) => found >= 0)
    .reduce((first, found) => Math.min(first, found), Number.POSITIVE_INFINITY);
  const start = Number.isFinite(at) ? Math.max(0, at - 40) : 0;
  const piece = flat.slice(start, start + most);
  return `${start > 0 ? "…" : ""}${piece}${start + most < flat.length ? "…" : ""}`;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function words(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) =>
      typeof part === "object" && part !== null && "text" in part && typeof part.text === "string"
        ? part.text
        : "",
    )
    .filter(Boolean)
    .join(" ");
}

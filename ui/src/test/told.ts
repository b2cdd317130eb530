// What a conversation shows, in few words, for tests.
import type { Turn } from "@/run/project";

/** Each turn as a line, an agent's as a list of lines. */
export const told = (turns: readonly Turn[]) =>
  turns.map((turn) => {
    switch (turn.role) {
      case "user":
        return `user: ${turn.text}`;
      case "note":
        return `${turn.kind}: ${turn.text}`;
      case "agent":
        return turn.parts.map((part) => {
          switch (part.type) {
            case "tool":
              return `${part.name}(${part.arguments}) ${part.state} ${part.result?.text ?? "-"}`;
            case "unknown":
              return `unknown ${part.messageType}`;
            default:
              return `${part.type}: ${part.text}`;
          }
        });
      default:
        return turn satisfies never;
    }
  });

// The stored messages a conversation has read so far: what changes when the newest are read again, or earlier
// ones are fetched. Reading again costs one page however far back the person has scrolled.
import type { Message } from "@/run/events";

export type History = {
  /** Oldest first, without a gap up to the newest. */
  messages: Message[];
  /** Earlier ones may exist. */
  more: boolean;
};

/** The newest page takes the place of what it overlaps; what came before it stays. */
export function withNewest(before: History | undefined, newest: Message[]): History {
  const first = newest[0];
  if (!before || !first) return { messages: newest, more: newest.length > 0 };
  const at = before.messages.findIndex(({ key, type }) => key === first.key && type === first.type);
  // More has happened than one page holds: starting over is better than a gap.
  if (at < 0) return { messages: newest, more: true };
  return { messages: [...before.messages.slice(0, at), ...newest], more: before.more };
}

/** Earlier messages in front; an empty page says there are none. */
export function withEarlier(before: History, earlier: Message[]): History {
  return { messages: [...earlier, ...before.messages], more: earlier.length > 0 };
}

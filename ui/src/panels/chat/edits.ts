// Messages that are being said again in other words, by conversation: one can look elsewhere meanwhile.
import { create } from "zustand";
import type { Written } from "@/run/outbox";
import type { UserTurn } from "@/run/project";

type Edit = {
  turn: UserTurn;
  /** What had been written before, which comes back when it is given up. */
  before: Written;
};

type Edits = {
  edits: Record<string, Edit>;
  /** `key` is the thread's. Another message instead of the one before keeps what was written before both. */
  begin(key: string, edit: Edit): void;
  end(key: string): void;
};

export const useEdits = create<Edits>()((set) => ({
  edits: {},
  begin: (key, { turn, before }) =>
    set(({ edits }) => ({ edits: { ...edits, [key]: { turn, before: edits[key]?.before ?? before } } })),
  end: (key) => set(({ edits: { [key]: _, ...edits } }) => ({ edits })),
}));

// What is being written and not stored yet, by tool. Survives leaving the page and a restart; secrets do not.
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { type Draft, withoutSecrets } from "./draft";

/** The key of the first tool that is not stored yet; there may be several, each with a number. */
export const NEW = "new";

export const isNew = (key: string) => key === NEW || key.startsWith(`${NEW}:`);

/** A key for one more new tool: what is written in another is not lost. */
export function freeKey(drafts: Record<string, Draft>): string {
  let key = NEW;
  for (let number = 2; key in drafts; number += 1) key = `${NEW}:${number}`;
  return key;
}

type Drafts = {
  drafts: Record<string, Draft>;
  /** What is open: a tool's id, the key of a new one, or nothing. */
  open: string | null;
  setOpen(open: string | null): void;
  setDraft(key: string, draft: Draft): void;
  drop(key: string): void;
};

export const useDrafts = create<Drafts>()(
  persist(
    (set) => ({
      drafts: {},
      open: null,
      setOpen: (open) => set({ open }),
      setDraft: (key, draft) => set(({ drafts }) => ({ drafts: { ...drafts, [key]: draft } })),
      drop: (key) => set(({ drafts: { [key]: _, ...drafts } }) => ({ drafts })),
    }),
    {
      name: "loci.workshop",
      partialize: ({ drafts, open }) => ({
        open,
        drafts: Object.fromEntries(
          Object.entries(drafts).map(([key, draft]) => [key, withoutSecrets(draft)]),
        ),
      }),
    },
  ),
);

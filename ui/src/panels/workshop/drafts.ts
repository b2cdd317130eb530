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
  /** Counts what was opened. Saving a new tool opens nothing else: one stays where one was. */
  opened: number;
  setOpen(open: string | null): void;
  setDraft(key: string, draft: Draft): void;
  drop(key: string): void;
  /** The tool was deleted, and with it what was written into it. */
  gone(id: string): void;
  /** What was written under the key is kept as that tool now: all of `done`, or only the source where that is null. */
  stored(key: string, id: string, done: Draft | null): void;
};

export const useDrafts = create<Drafts>()(
  persist(
    (set) => ({
      drafts: {},
      open: null,
      opened: 0,
      setOpen: (open) => set((was) => (was.open === open ? was : { open, opened: was.opened + 1 })),
      setDraft: (key, draft) => set(({ drafts }) => ({ drafts: { ...drafts, [key]: draft } })),
      drop: (key) => set(({ drafts: { [key]: _, ...drafts } }) => ({ drafts })),
      gone: (id) =>
        set(({ drafts: { [id]: _, ...drafts }, open, opened }) =>
          open === id ? { drafts, open: null, opened: opened + 1 } : { drafts },
        ),
      stored: (key, id, done) =>
        set(({ drafts: { [key]: now, ...others }, open }) => {
          const drafts = { ...others };
          // Written into the tool that was replaced, and never saved: it waits as one more new tool.
          if (drafts[id]) drafts[freeKey(drafts)] = drafts[id];
          delete drafts[id];
          // Written while it was being saved.
          if (now && now !== done) drafts[id] = now;
          return { drafts, open: open === key ? id : open };
        }),
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

// What a person has written but no run has taken yet: drafts, pictures added to them, and messages waiting for
// their turn, each under the key of its thread. Kept across restarts of the window.
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import type { PictureData } from "@/lib/pictures";
import { threadOf } from "./thread";

/** A message as the composer has it. */
export type Written = { text: string; pictures: PictureData[] };

type Drafts = {
  drafts: Record<string, string>;
  setDraft(key: string, text: string): void;
  /** Everything of an agent that no longer exists. */
  forget(agentId: string): void;
};

/** The texts alone: they change with every key, and pictures are large. */
export const useDrafts = create<Drafts>()(
  persist(
    (set) => ({
      drafts: {},
      setDraft: (key, text) => set(({ drafts }) => ({ drafts: put(drafts, key, text || undefined) })),
      forget: (agentId) => set(({ drafts }) => ({ drafts: without(drafts, agentId) })),
    }),
    { name: "loci.drafts" },
  ),
);

/** Whether the last attempt to keep the outbox succeeded. What a page may keep is bounded by the webview. */
export const useKept = create<{ kept: boolean }>()(() => ({ kept: true }));

const storage = createJSONStorage<Pick<Outbox, "queued" | "pictures">>(() => ({
  getItem: (name) => localStorage.getItem(name),
  removeItem: (name) => localStorage.removeItem(name),
  setItem(name, value) {
    let kept = true;
    try {
      localStorage.setItem(name, value);
    } catch {
      kept = false;
    }
    if (useKept.getState().kept !== kept) useKept.setState({ kept });
  },
}));

type Outbox = {
  pictures: Record<string, PictureData[]>;
  queued: Record<string, Written[]>;
  setPictures(key: string, pictures: PictureData[]): void;
  enqueue(key: string, written: Written): void;
  unqueue(key: string, at: number): void;
  /** Everything of an agent that no longer exists. */
  forget(agentId: string): void;
};

export const useOutbox = create<Outbox>()(
  persist(
    (set) => ({
      pictures: {},
      queued: {},
      setPictures: (key, own) =>
        set(({ pictures }) => ({ pictures: put(pictures, key, own.length > 0 ? own : undefined) })),
      enqueue: (key, written) =>
        set(({ queued }) => ({ queued: put(queued, key, [...(queued[key] ?? []), written]) })),
      unqueue: (key, at) =>
        set(({ queued }) => {
          const left = (queued[key] ?? []).filter((_, index) => index !== at);
          return { queued: put(queued, key, left.length > 0 ? left : undefined) };
        }),
      forget: (agentId) =>
        set(({ pictures, queued }) => ({
          pictures: without(pictures, agentId),
          queued: without(queued, agentId),
        })),
    }),
    { name: "loci.outbox", version: 1, storage },
  ),
);

function put<T>(record: Record<string, T>, key: string, value: T | undefined): Record<string, T> {
  const { [key]: _, ...others } = record;
  return value === undefined ? others : { ...others, [key]: value };
}

function without<T>(record: Record<string, T>, agentId: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => threadOf(key).agentId !== agentId));
}

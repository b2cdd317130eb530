// What a person has written but no run has taken yet: drafts, and messages waiting for their turn. Kept across
// restarts of the window.
import { create } from "zustand";
import { persist } from "zustand/middleware";

type Outbox = {
  drafts: Record<string, string>;
  queued: Record<string, string[]>;
  setDraft(agentId: string, text: string): void;
  enqueue(agentId: string, text: string): void;
  unqueue(agentId: string, at: number): void;
  /** Everything of an agent that no longer exists. */
  forget(agentId: string): void;
};

export const useOutbox = create<Outbox>()(
  persist(
    (set) => ({
      drafts: {},
      queued: {},
      setDraft: (agentId, text) => set(({ drafts }) => ({ drafts: put(drafts, agentId, text || undefined) })),
      enqueue: (agentId, text) =>
        set(({ queued }) => ({ queued: put(queued, agentId, [...(queued[agentId] ?? []), text]) })),
      unqueue: (agentId, at) =>
        set(({ queued }) => {
          const left = (queued[agentId] ?? []).filter((_, index) => index !== at);
          return { queued: put(queued, agentId, left.length > 0 ? left : undefined) };
        }),
      forget: (agentId) =>
        set(({ drafts, queued }) => ({
          drafts: put(drafts, agentId, undefined),
          queued: put(queued, agentId, undefined),
        })),
    }),
    { name: "loci.outbox" },
  ),
);

function put<T>(record: Record<string, T>, key: string, value: T | undefined): Record<string, T> {
  const { [key]: _, ...others } = record;
  return value === undefined ? others : { ...others, [key]: value };
}

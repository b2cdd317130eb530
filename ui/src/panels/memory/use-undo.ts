// Stepping back and forth through a block's versions. Every step is a version of its own; nothing is lost.
import { useState } from "react";
import { useRestore } from "./queries";

/** Where one stands: the old version that was restored, as which new one, and the newest one can go forward to. */
type Place = { at: number; as: number; top: number };

/** `newest` is the block's version now. A change from elsewhere begins anew. */
export function useUndo(agentId: string, blockId: string, newest: number | null) {
  const restore = useRestore(agentId);
  const [place, setPlace] = useState<Place | null>(null);
  const here = place && place.as === newest ? place : null;
  const at = here?.at ?? newest;
  const top = here?.top ?? newest;
  const go = (version: number) => {
    if (newest === null || top === null) return;
    restore.mutate(
      { id: blockId, version, base: newest },
      { onSuccess: (now) => setPlace({ at: version, as: now.version, top }) },
    );
  };
  return {
    undo: at !== null && at > 1 ? () => go(at - 1) : undefined,
    redo: at !== null && top !== null && at < top ? () => go(at + 1) : undefined,
    busy: restore.isPending,
    error: restore.error,
  };
}

// A conversation stays at its end until the person leaves it. The list moves the page by itself when rows turn out
// higher than thought; that is nobody's wish to read further up.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import type { Turn } from "@/run/project";

/** What the person does in the conversation to go elsewhere in it. */
const HANDS = ["wheel", "touchmove", "pointerdown", "keydown", "focusin"] as const;
/** Milliseconds in which a move belongs to a hand, or to a change of the rows. */
const SOON = 1000;

type StayAtEnd = {
  scroll: RefObject<HTMLElement | null>;
  turns: readonly Turn[];
  isAtBottom: boolean;
  scrollToBottom: (options: "instant") => unknown;
};

/** Returns what to call when the page is moved on purpose. */
export function useStayAtEnd({ scroll, turns, isAtBottom, scrollToBottom }: StayAtEnd): () => void {
  const moved = useRef(Number.NEGATIVE_INFINITY);
  const changed = useRef(Number.NEGATIVE_INFINITY);
  const move = useCallback(() => {
    moved.current = performance.now();
  }, []);
  useEffect(() => {
    const element = scroll.current;
    if (!element) return;
    for (const hand of HANDS) element.addEventListener(hand, move, { passive: true });
    return () => {
      for (const hand of HANDS) element.removeEventListener(hand, move);
    };
  }, [scroll, move]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the rows counts
  useLayoutEffect(() => {
    changed.current = performance.now();
  }, [turns]);
  useEffect(() => {
    const now = performance.now();
    if (!isAtBottom && now - moved.current > SOON && now - changed.current < SOON) scrollToBottom("instant");
  }, [isAtBottom, scrollToBottom]);

  // Who says something wants to see it, and its answer.
  const last = turns.at(-1);
  const said = last?.role === "user" && last.pending ? last.key : null;
  useEffect(() => {
    if (said !== null) scrollToBottom("instant");
  }, [said, scrollToBottom]);
  return move;
}

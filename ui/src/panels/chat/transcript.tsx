import { ArrowDown } from "lucide-react";
import { memo, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStickToBottom } from "use-stick-to-bottom";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { TurnView } from "@/components/agent/turn";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { Turn, UserTurn } from "@/run/project";
import { useStayAtEnd } from "./stay-at-end";

type TranscriptProps = {
  turns: readonly Turn[];
  /** Earlier messages exist. */
  more: boolean;
  loadingMore: boolean;
  onMore: () => void;
  /** Says an earlier message again in other words. */
  onEdit: (turn: UserTurn) => void;
  /** Why that cannot be done here. */
  editLack: string | null;
  /** A stored message to bring into view. */
  sought: string | null;
  onShown: () => void;
  /** Something is on its way but has nothing to show yet. */
  thinking: boolean;
};

/** Within this many pixels of the top, earlier messages are fetched. */
const NEAR_TOP = 400;

/** Drawn when something of it changes, not with every key in the composer. */
export const Transcript = memo(function Transcript({
  turns,
  more,
  loadingMore,
  onMore,
  onEdit,
  editLack,
  sought,
  onShown,
  thinking,
}: TranscriptProps) {
  const { t } = useTranslation();
  const { scrollRef, contentRef, isAtBottom, scrollToBottom, stopScroll } = useStickToBottom({
    initial: "instant",
    resize: "instant",
  });
  const virtualizer = useRef<VirtualizerHandle>(null);
  const prepending = usePrepending(turns);
  useKeepAtEnd(scrollRef, isAtBottom, scrollToBottom);
  const move = useStayAtEnd({ scroll: scrollRef, turns, isAtBottom, scrollToBottom });
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => {
    if (sought === null) return;
    const at = turns.findIndex((turn) => holds(turn, sought));
    if (at < 0) return;
    stopScroll();
    move();
    virtualizer.current?.scrollToIndex(at, { align: "center" });
    setShown(turns[at]?.key ?? null);
    onShown();
  }, [sought, turns, stopScroll, move, onShown]);
  return (
    <div className="relative min-h-0 flex-1">
      <section
        ref={scrollRef}
        aria-label={t("chat.transcript")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className="h-full overflow-y-auto [scrollbar-gutter:stable_both-edges]"
        style={{ overflowAnchor: "none" }}
      >
        <div
          ref={contentRef}
          className="mx-auto flex min-h-full max-w-[760px] flex-col justify-end px-4 py-4"
        >
          {loadingMore ? <Spinner className="mx-auto my-2" aria-label={t("chat.loadingMore")} /> : null}
          <Virtualizer
            ref={virtualizer}
            data={turns}
            scrollRef={scrollRef}
            shift={prepending}
            onScroll={(offset) => more && !loadingMore && offset < NEAR_TOP && onMore()}
          >
            {(turn: Turn, at: number) => (
              <TurnView
                key={turn.key}
                turn={turn}
                goesOn={goesOn(turn, turns[at + 1])}
                onEdit={onEdit}
                editLack={editLack}
                className={turn.key === shown ? "animate-glow rounded-md" : undefined}
              />
            )}
          </Virtualizer>
          {thinking ? (
            <p role="status" className="flex items-center gap-2 text-muted-foreground">
              <Spinner />
              {t("chat.thinking")}
            </p>
          ) : null}
        </div>
      </section>
      {isAtBottom ? null : (
        <Button
          size="icon"
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-md"
          aria-label={t("chat.toEnd")}
          title={t("chat.toEnd")}
          onClick={() => scrollToBottom()}
        >
          <ArrowDown aria-hidden className="size-4" />
        </Button>
      )}
    </div>
  );
});

function holds(turn: Turn, messageId: string): boolean {
  switch (turn.role) {
    case "user":
      return turn.id === messageId;
    case "agent":
      return turn.ids.includes(messageId);
    case "note":
      return false;
    default:
      turn satisfies never;
      return false;
  }
}

/** The steps of one run read as one answer. */
function goesOn(turn: Turn, next: Turn | undefined): boolean {
  return turn.role === "agent" && next?.role === "agent";
}

/** What grows below the conversation, such as a question or a queue, must not cover its end. */
function useKeepAtEnd(
  scroll: RefObject<HTMLElement | null>,
  isAtBottom: boolean,
  scrollToBottom: (options: "instant") => unknown,
): void {
  const atEnd = useRef(isAtBottom);
  useLayoutEffect(() => {
    atEnd.current = isAtBottom;
  });
  useEffect(() => {
    const element = scroll.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (atEnd.current) scrollToBottom("instant");
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroll, scrollToBottom]);
}

/** True for the rendering in which rows came in at the front: the list then keeps its place from the end. */
function usePrepending(turns: readonly Turn[]): boolean {
  const first = useRef<string | undefined>(undefined);
  const key = turns[0]?.key;
  const before = first.current;
  const prepending = before !== undefined && key !== before && turns.some((turn) => turn.key === before);
  useLayoutEffect(() => {
    first.current = key;
  });
  return prepending;
}

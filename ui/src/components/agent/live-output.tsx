import { Square } from "lucide-react";
import { createContext, type ReactNode, useContext, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { VisibleText } from "./visible-text";

/** What to show below a call that runs on this machine now, by its id; `null` for every other. */
export type LiveCalls = (toolCallId: string) => ReactNode;

const Context = createContext<LiveCalls>(() => null);

export const LiveCallsProvider = Context;

export function useLiveCall(toolCallId: string): ReactNode {
  return useContext(Context)(toolCallId);
}

type LiveOutputProps = {
  tool: string;
  text: string;
  /** There was more before `text`. */
  cut: boolean;
  stopping: boolean;
  onStop: () => void;
  /** What went wrong with looking or stopping. */
  children?: ReactNode;
};

/** Pixels from the end within which one is at the end. */
const NEAR = 24;

/** What a running call has said so far, and the way to stop it. */
export function LiveOutput({ tool, text, cut, stopping, onStop, children }: LiveOutputProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new text is what moves the end
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [text]);
  return (
    <section
      aria-label={t("tool.live", { tool })}
      className="flex flex-col gap-1.5 rounded-md border bg-card p-2.5"
    >
      {cut ? <p className="text-xs text-muted-foreground">{t("tool.cut")}</p> : null}
      {text === "" ? (
        <p className="text-xs text-muted-foreground">{t("tool.silent")}</p>
      ) : (
        <VisibleText
          ref={box}
          text={text}
          tabIndex={0}
          className="max-h-40 rounded-sm bg-muted px-2 py-1"
          onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
            atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
          }}
        />
      )}
      {children}
      <Button
        size="sm"
        className="self-start"
        aria-label={t("tool.stop", { tool })}
        title={t("tool.stopHint")}
        disabled={stopping}
        onClick={onStop}
      >
        <Square aria-hidden className="size-3" />
        {t(stopping ? "tool.stopping" : "tool.stopShort")}
      </Button>
    </section>
  );
}

import { ArrowUp, Square, X } from "lucide-react";
import { type ComponentProps, type KeyboardEvent, type Ref, useId } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

/** What the composer does with what is sent now. */
export type ComposerMode =
  /** Sends at once. */
  | "ready"
  /** A run is under way: what is sent waits for its end. */
  | "running"
  /** As running, and a stop was asked for. */
  | "stopping"
  /** A call waits for a decision: what is sent waits for it. */
  | "waiting";

type ComposerProps = Omit<ComponentProps<"form">, "onSubmit" | "ref"> & {
  mode: ComposerMode;
  draft: string;
  onDraft: (text: string) => void;
  onSend: (text: string) => void;
  onStop: () => void;
  queued: readonly string[];
  onUnqueue: (at: number) => void;
  inputRef?: Ref<HTMLTextAreaElement>;
};

const HINTS: Record<ComposerMode, string | null> = {
  ready: null,
  running: "composer.queueWhileRunning",
  stopping: "composer.stopping",
  waiting: "composer.queueWhileWaiting",
};

export function Composer({
  mode,
  draft,
  onDraft,
  onSend,
  onStop,
  queued,
  onUnqueue,
  inputRef,
  className,
  ...rest
}: ComposerProps) {
  const { t } = useTranslation();
  const id = useId();
  const hint = HINTS[mode];
  const send = () => {
    const text = draft.trim();
    if (!text) return;
    onSend(text);
    onDraft("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter while an input method composes a word chooses the word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className={cn("flex flex-col gap-2", className)}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      {...rest}
    >
      {queued.length > 0 ? <Queue queued={queued} onUnqueue={onUnqueue} /> : null}
      <div className="flex items-end gap-2 rounded-md border border-input bg-card p-2 focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-accent">
        <label htmlFor={id} className="sr-only">
          {t("composer.label")}
        </label>
        <textarea
          id={id}
          ref={inputRef}
          rows={Math.min(10, Math.max(1, draft.split("\n").length))}
          value={draft}
          placeholder={t("composer.placeholder")}
          aria-describedby={hint ? `${id}-hint` : undefined}
          className="max-h-60 min-h-7 flex-1 resize-none bg-transparent px-1 py-0.5 text-base outline-none placeholder:text-muted-foreground"
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {mode === "running" || mode === "stopping" ? (
          <Button
            size="icon"
            aria-label={t("composer.stop")}
            title={t("composer.stop")}
            disabled={mode === "stopping"}
            onClick={onStop}
          >
            <Square aria-hidden className="size-3.5 fill-current" />
          </Button>
        ) : null}
        <Button
          type="submit"
          size="icon"
          variant="primary"
          disabled={!draft.trim()}
          aria-label={t(mode === "ready" ? "composer.send" : "composer.queue")}
          title={t(mode === "ready" ? "composer.send" : "composer.queue")}
        >
          <ArrowUp aria-hidden className="size-4" />
        </Button>
      </div>
      <p id={`${id}-hint`} className="min-h-4 text-xs text-muted-foreground">
        {hint ? t(hint) : t("composer.keys")}
      </p>
    </form>
  );
}

function Queue({ queued, onUnqueue }: Pick<ComposerProps, "queued" | "onUnqueue">) {
  const { t } = useTranslation();
  return (
    <ul aria-label={t("composer.queued")} className="flex flex-col gap-1">
      {queued.map((text, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same words may be queued twice
        <li key={at} className="flex items-center gap-2 rounded-md border border-dashed px-2 py-1">
          <span className="text-xs text-muted-foreground">{t("composer.queuedMark")}</span>
          <span className="min-w-0 flex-1 truncate">{text}</span>
          <Button
            size="icon"
            variant="quiet"
            aria-label={t("composer.unqueue")}
            onClick={() => onUnqueue(at)}
          >
            <X aria-hidden className="size-3.5" />
          </Button>
        </li>
      ))}
    </ul>
  );
}

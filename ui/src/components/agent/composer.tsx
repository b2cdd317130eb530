import { ArrowUp, ImagePlus, Square } from "lucide-react";
import {
  type ComponentProps,
  type DragEvent,
  type KeyboardEvent,
  type Ref,
  useId,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { type NotAPicture, PICTURE_TYPES, type PictureData, readPictures } from "@/lib/pictures";
import { Added, Queue } from "./composer-parts";

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

type Message = { text: string; pictures: PictureData[] };

type ComposerProps = Omit<ComponentProps<"form">, "onSubmit" | "ref"> & {
  mode: ComposerMode;
  draft: string;
  onDraft: (text: string) => void;
  pictures: PictureData[];
  onPictures: (pictures: PictureData[]) => void;
  onSend: (message: Message) => void;
  onStop: () => void;
  /** Why a run cannot be stopped here. */
  stopLack?: string | null;
  /** Gives up what the message was meant for, such as a branch; first thing Escape does. */
  onCancel?: (() => void) | undefined;
  queued: readonly Message[];
  onUnqueue: (at: number) => void;
  /** Said under the box instead of the keys. */
  notice?: string | null;
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
  pictures,
  onPictures,
  onSend,
  onStop,
  stopLack = null,
  onCancel,
  queued,
  onUnqueue,
  notice,
  inputRef,
  className,
  ...rest
}: ComposerProps) {
  const { t } = useTranslation();
  const id = useId();
  const picker = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState<NotAPicture[]>([]);
  const [over, setOver] = useState(false);
  // Reading takes a moment, in which more may be added.
  const latest = useRef(pictures);
  latest.current = pictures;
  const hint = HINTS[mode];
  const empty = !draft.trim() && pictures.length === 0;

  const send = () => {
    if (empty) return;
    onSend({ text: draft.trim(), pictures });
    onDraft("");
    onPictures([]);
    setRefused([]);
  };
  const add = async (files: readonly File[]) => {
    if (files.length === 0) return;
    const read = await readPictures(files);
    setRefused(read.refused);
    if (read.pictures.length > 0) onPictures([...latest.current, ...read.pictures]);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Escape" && onCancel && !event.nativeEvent.isComposing) {
      event.preventDefault();
      onCancel();
      return;
    }
    // Enter while an input method composes a word chooses the word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const onDrop = (event: DragEvent) => {
    setOver(false);
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    void add([...event.dataTransfer.files]);
  };
  return (
    <form
      className={cn("flex flex-col gap-2", className)}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
      {...rest}
    >
      {queued.length > 0 ? <Queue queued={queued} onUnqueue={onUnqueue} /> : null}
      <div
        className={cn(
          "flex flex-col gap-2 rounded-md border border-input bg-card p-2 focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-accent",
          over && "border-dashed border-accent bg-accent-soft",
        )}
      >
        {pictures.length > 0 ? <Added pictures={pictures} onChange={onPictures} /> : null}
        <label htmlFor={id} className="sr-only">
          {t("composer.label")}
        </label>
        <textarea
          id={id}
          data-composer
          ref={inputRef}
          rows={Math.min(10, Math.max(1, draft.split("\n").length))}
          value={draft}
          placeholder={t(over ? "composer.dropHere" : "composer.placeholder")}
          aria-describedby={`${id}-hint`}
          className="field-sizing-content max-h-60 min-h-7 w-full resize-none bg-transparent px-1 py-0.5 text-base outline-none placeholder:text-muted-foreground"
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const files = [...event.clipboardData.files];
            if (files.length === 0) return;
            event.preventDefault();
            void add(files);
          }}
        />
        <div className="flex items-center gap-2">
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            accept={PICTURE_TYPES.join(",")}
            aria-label={t("composer.addPictures")}
            onChange={(event) => {
              void add([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
          <Button
            size="icon"
            variant="quiet"
            aria-label={t("composer.addPictures")}
            title={t("composer.addPictures")}
            onClick={() => picker.current?.click()}
          >
            <ImagePlus aria-hidden className="size-4 text-muted-foreground" />
          </Button>
          <p id={`${id}-hint`} className="min-w-0 flex-1 truncate text-xs text-muted-foreground">
            {notice ?? (hint ? t(hint) : t("composer.keys"))}
          </p>
          {mode === "running" || mode === "stopping" ? (
            <Button
              size="icon"
              aria-label={t("composer.stop")}
              data-stop
              aria-keyshortcuts="Escape"
              title={`${t("composer.stop")} (Esc)`}
              lack={stopLack}
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
            disabled={empty}
            aria-label={t(mode === "ready" ? "composer.send" : "composer.queue")}
            title={t(mode === "ready" ? "composer.send" : "composer.queue")}
          >
            <ArrowUp aria-hidden className="size-4" />
          </Button>
        </div>
      </div>
      <p role="status" className="text-xs text-danger empty:hidden">
        {refused.map(({ name, why }) => t(`composer.refused.${why}`, { name })).join(" ")}
      </p>
    </form>
  );
}

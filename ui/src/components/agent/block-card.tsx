import { Lock, Pencil } from "lucide-react";
import { type ComponentProps, type KeyboardEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Textarea } from "@/components/ui/field";
import { changedStretch } from "@/lib/changed";
import { cn } from "@/lib/cn";
import { lengthOf } from "@/lib/length";

export type BlockValue = {
  id: string;
  label: string;
  description: string | null;
  value: string;
  limit: number | null;
  readOnly: boolean;
};

/** The value being written, and the one it started from. */
type Draft = { base: string; text: string };

type BlockCardProps = Omit<ComponentProps<"article">, "onChange"> & {
  block: BlockValue;
  /** The change is being stored. */
  saving: boolean;
  problem: string | null;
  /** Stores `text`, unless the block is no longer `base`. Resolves true when it is stored. */
  onSave: (text: string, base: string) => Promise<boolean>;
};

export function BlockCard({ block, saving, problem, onSave, className, ...rest }: BlockCardProps) {
  const { t } = useTranslation();
  const id = useId();
  const [draft, setDraft] = useState<Draft | null>(null);
  /** What the person stored last: their own words need no pointing out. */
  const [own, setOwn] = useState<string | null>(null);
  const open = () => setDraft({ base: block.value, text: block.value });
  return (
    <article
      aria-labelledby={`${id}-label`}
      data-testid="block"
      className={cn("flex flex-col gap-2 rounded-md border bg-card p-3", className)}
      {...rest}
    >
      <header className="flex items-center gap-2">
        <h2 id={`${id}-label`} className="min-w-0 flex-1 truncate font-semibold">
          {block.label}
        </h2>
        {block.readOnly ? (
          <span className="flex items-center gap-1 text-xs text-muted-foreground">
            <Lock aria-hidden className="size-3" />
            {t("block.readOnly")}
          </span>
        ) : null}
        {draft ? null : (
          <Button
            size="icon"
            variant="quiet"
            aria-label={t("block.edit", { label: block.label })}
            onClick={open}
          >
            <Pencil aria-hidden className="size-3.5" />
          </Button>
        )}
      </header>
      <Meter used={lengthOf(draft?.text ?? block.value)} limit={block.limit} />
      {block.description ? <p className="text-xs text-muted-foreground">{block.description}</p> : null}
      {draft ? (
        <BlockEditor
          block={block}
          draft={draft}
          saving={saving}
          problem={problem}
          onDraft={setDraft}
          onSave={onSave}
          onStored={(text) => {
            setOwn(text);
            setDraft(null);
          }}
        />
      ) : (
        <BlockText key={block.id} value={block.value} own={own} onOpen={open} />
      )}
    </article>
  );
}

/** How full the block is. Without a limit there is only the count. */
function Meter({ used, limit }: { used: number; limit: number | null }) {
  const { t, i18n } = useTranslation();
  const over = limit !== null && used > limit;
  const number = (value: number) => value.toLocaleString(i18n.language);
  return (
    <div className="flex items-center gap-2 text-xs text-muted-foreground tabular-nums">
      {limit === null ? null : (
        <meter
          className="block-meter h-1 flex-1"
          aria-label={t("block.used")}
          min={0}
          max={Math.max(limit, 1)}
          value={Math.min(used, limit)}
          data-over={over || undefined}
        />
      )}
      <span className={cn(over && "font-semibold text-danger")}>
        {limit === null
          ? t("block.count", { used: number(used) })
          : t("block.countOf", { used: number(used), limit: number(limit) })}
      </span>
    </div>
  );
}

/** The value as text. What changed while it was on screen glows once. */
function BlockText({ value, own, onOpen }: { value: string; own: string | null; onOpen: () => void }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState({ value, previous: value });
  // Remembering the value before the last one during rendering: an effect would paint the old one first.
  if (shown.value !== value) setShown({ value, previous: shown.value });
  const change = value === own ? null : changedStretch(shown.previous, shown.value);
  return (
    // The pencil is the control; a click on the text is a shortcut to it for the mouse.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      data-testid="block-value"
      className="max-h-72 cursor-text overflow-auto rounded-sm break-words whitespace-pre-wrap hover:bg-muted/60"
      onClick={() => {
        // Selecting words to copy is not a wish to edit.
        if (!window.getSelection()?.toString()) onOpen();
      }}
    >
      {value === "" ? <span className="text-muted-foreground">{t("block.empty")}</span> : null}
      {change ? (
        <>
          {change.before}
          <span key={value} data-testid="block-change" className="animate-glow rounded-sm">
            {change.changed}
          </span>
          {change.after}
        </>
      ) : (
        value
      )}
    </div>
  );
}

type EditorProps = Pick<BlockCardProps, "block" | "saving" | "problem" | "onSave"> & {
  draft: Draft;
  onDraft: (draft: Draft | null) => void;
  onStored: (text: string) => void;
};

function BlockEditor({ block, draft, saving, problem, onDraft, onSave, onStored }: EditorProps) {
  const { t } = useTranslation();
  const id = useId();
  const moved = block.value !== draft.base;
  const over = block.limit !== null && lengthOf(draft.text) > block.limit;
  const save = async (base: string) => {
    if (await onSave(draft.text, base)) onStored(draft.text);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onDraft(null);
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !moved) {
      event.preventDefault();
      void save(draft.base);
    }
  };
  return (
    <div className="flex flex-col gap-2">
      <label htmlFor={id} className="sr-only">
        {t("block.valueLabel", { label: block.label })}
      </label>
      <Textarea
        id={id}
        // The person has just asked for this field.
        autoFocus
        rows={Math.min(16, Math.max(4, draft.text.split("\n").length + 1))}
        value={draft.text}
        aria-invalid={over || undefined}
        onChange={(event) => onDraft({ ...draft, text: event.target.value })}
        onKeyDown={onKeyDown}
      />
      {moved ? (
        <div
          role="alert"
          className="flex flex-col gap-2 rounded-md border border-waiting bg-waiting-soft p-2"
        >
          <p>{t("block.conflict")}</p>
          <pre className="max-h-40 overflow-auto rounded-sm bg-card p-2 font-sans break-words whitespace-pre-wrap">
            {block.value || t("block.empty")}
          </pre>
          <div className="flex flex-wrap gap-2">
            <Button
              size="sm"
              disabled={saving}
              onClick={() => onDraft({ base: block.value, text: block.value })}
            >
              {t("block.takeTheirs")}
            </Button>
            <Button size="sm" disabled={saving || over} onClick={() => void save(block.value)}>
              {t("block.keepMine")}
            </Button>
          </div>
        </div>
      ) : null}
      {problem ? (
        <p role="alert" className="text-danger">
          {problem}
        </p>
      ) : null}
      {over ? <p className="text-xs text-danger">{t("block.tooLong")}</p> : null}
      <div className="flex gap-2">
        {moved ? null : (
          <Button size="sm" variant="primary" disabled={saving || over} onClick={() => void save(draft.base)}>
            {t("block.save")}
          </Button>
        )}
        <Button size="sm" disabled={saving} onClick={() => onDraft(null)}>
          {t("common.cancel")}
        </Button>
      </div>
    </div>
  );
}

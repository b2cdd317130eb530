import { History, Lock, Pencil, Redo2, Undo2, Users } from "lucide-react";
import { type ComponentProps, type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { BlockVersion } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { When } from "@/components/ui/when";
import { changedStretch } from "@/lib/changed";
import { cn } from "@/lib/cn";
import { lengthOf } from "@/lib/length";
import { authorship } from "./authorship";
import { BlockEditor, type Draft } from "./block-editor";

export type BlockValue = {
  id: string;
  label: string;
  description: string | null;
  value: string;
  limit: number | null;
  readOnly: boolean;
};

type BlockCardProps = Omit<ComponentProps<"article">, "onChange"> & {
  block: BlockValue;
  /** The change is being stored. */
  saving: boolean;
  problem: string | null;
  /** Stores `text`, unless the block is no longer `base`. Resolves true when it is stored. */
  onSave: (text: string, base: string) => Promise<boolean>;
  /** Names of the other agents that have it. */
  sharedBy?: readonly string[];
  /** The last change, where the server keeps them. */
  newest?: BlockVersion | null;
  /** Why there are no earlier versions here. */
  historyLack?: string | null;
  onHistory?: () => void;
  /** Absent: there is nothing to take back. */
  onUndo?: (() => void) | undefined;
  onRedo?: (() => void) | undefined;
  /** More to do with the block, beside its pencil. */
  actions?: ReactNode;
};

export function BlockCard({
  block,
  saving,
  problem,
  onSave,
  sharedBy = [],
  newest = null,
  historyLack = null,
  onHistory,
  onUndo,
  onRedo,
  actions,
  className,
  ...rest
}: BlockCardProps) {
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
      <header className="flex items-center gap-1">
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
        {actions}
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
      {problem && !draft ? (
        <p role="alert" className="text-danger">
          {problem}
        </p>
      ) : null}
      {sharedBy.length > 0 ? (
        <p className="flex items-start gap-1.5 text-xs text-muted-foreground">
          <Users aria-hidden className="mt-0.5 size-3 shrink-0" />
          {t("block.sharedBy", { count: sharedBy.length, agents: sharedBy.join(", ") })}
        </p>
      ) : null}
      {(newest && onHistory) || historyLack ? (
        <footer className="-mb-1 flex items-center gap-0.5 text-xs text-muted-foreground">
          {newest && onHistory ? (
            <button
              type="button"
              className="mr-auto flex min-w-0 items-center gap-1.5 rounded-sm py-1 text-left hover:text-foreground"
              onClick={onHistory}
            >
              <History aria-hidden className="size-3 shrink-0" />
              <span className="sr-only">{t("block.history", { label: block.label })}: </span>
              <span className="truncate">
                {authorship(newest, t)}, <When date={newest.at} />
              </span>
            </button>
          ) : (
            <Button size="sm" variant="quiet" lack={historyLack} className="mr-auto -ml-2 font-normal">
              <History aria-hidden className="size-3" />
              {t("block.historyShort")}
            </Button>
          )}
          <Button
            size="icon"
            variant="quiet"
            lack={historyLack}
            aria-label={t("block.undo")}
            title={t("block.undo")}
            disabled={!historyLack && (saving || !onUndo)}
            onClick={onUndo}
          >
            <Undo2 aria-hidden className="size-3.5" />
          </Button>
          <Button
            size="icon"
            variant="quiet"
            lack={historyLack}
            aria-label={t("block.redo")}
            title={t("block.redo")}
            disabled={!historyLack && (saving || !onRedo)}
            onClick={onRedo}
          >
            <Redo2 aria-hidden className="size-3.5" />
          </Button>
        </footer>
      ) : null}
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

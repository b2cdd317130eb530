import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { CodeDiff, CodeEditor } from "@/components/ui/code";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { lengthOf } from "@/lib/length";
import type { BlockValue } from "./block-card";

/** The value being written, and the one it started from. */
export type Draft = { base: string; text: string };

type BlockEditorProps = {
  block: BlockValue;
  draft: Draft;
  saving: boolean;
  problem: string | null;
  onDraft: (draft: Draft | null) => void;
  onSave: (text: string, base: string) => Promise<boolean>;
  onStored: (text: string) => void;
};

/** Writes a block's value. When the block changes meanwhile, nothing is overwritten unseen. */
export function BlockEditor({ block, draft, saving, problem, onDraft, onSave, onStored }: BlockEditorProps) {
  const { t } = useTranslation();
  const [merging, setMerging] = useState(false);
  const moved = block.value !== draft.base;
  const over = block.limit !== null && lengthOf(draft.text) > block.limit;
  const save = async (text: string, base: string) => {
    if (await onSave(text, base)) onStored(text);
  };
  return (
    <div className="flex flex-col gap-2">
      <CodeEditor
        label={t("block.valueLabel", { label: block.label })}
        // The person has just asked for this field.
        autoFocus
        value={draft.text}
        invalid={over}
        onChange={(text) => onDraft({ ...draft, text })}
        onEscape={() => onDraft(null)}
        onSubmit={() => {
          if (!moved && !over && !saving) void save(draft.text, draft.base);
        }}
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
            <Button size="sm" disabled={saving || over} onClick={() => void save(draft.text, block.value)}>
              {t("block.keepMine")}
            </Button>
            <Button size="sm" disabled={saving} onClick={() => setMerging(true)}>
              {t("block.compare")}
            </Button>
          </div>
          <MergeDialog
            block={block}
            mine={draft.text}
            open={merging}
            saving={saving}
            onOpenChange={setMerging}
            onSave={(text) => void save(text, block.value)}
          />
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
          <Button
            size="sm"
            variant="primary"
            disabled={saving || over}
            onClick={() => void save(draft.text, draft.base)}
          >
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

type MergeDialogProps = {
  block: BlockValue;
  mine: string;
  open: boolean;
  saving: boolean;
  onOpenChange: (open: boolean) => void;
  onSave: (text: string) => void;
};

function MergeDialog({ block, mine, open, saving, onOpenChange, onSave }: MergeDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        heading={t("block.mergeHeading", { label: block.label })}
        explanation={t("block.mergeExplanation")}
        className="w-[min(64rem,calc(100vw-2rem))]"
      >
        <Merge
          // A newer text at the left starts the comparison again; what was merged so far stays at the right.
          theirs={block.value}
          mine={mine}
          limit={block.limit}
          saving={saving}
          onCancel={() => onOpenChange(false)}
          onSave={onSave}
        />
      </DialogContent>
    </Dialog>
  );
}

type MergeProps = {
  theirs: string;
  mine: string;
  limit: number | null;
  saving: boolean;
  onCancel: () => void;
  onSave: (text: string) => void;
};

function Merge({ theirs, mine, limit, saving, onCancel, onSave }: MergeProps) {
  const { t } = useTranslation();
  const [start, setStart] = useState({ theirs, mine });
  const [text, setText] = useState(mine);
  if (start.theirs !== theirs) setStart({ theirs, mine: text });
  const over = limit !== null && lengthOf(text) > limit;
  return (
    <>
      <CodeDiff
        className="max-h-[60vh] min-h-40"
        before={start.theirs}
        after={start.mine}
        beforeLabel={t("block.mergeTheirs")}
        afterLabel={t("block.mergeMine")}
        onChange={setText}
      />
      {over ? <p className="text-danger">{t("block.tooLong")}</p> : null}
      <footer className="flex justify-end gap-2">
        <Button onClick={onCancel}>{t("common.cancel")}</Button>
        <Button variant="primary" disabled={saving || over} onClick={() => onSave(text)}>
          {t("block.mergeSave")}
        </Button>
      </footer>
    </>
  );
}

import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Block } from "@/api/types";
import { useLack } from "@/api/use-lack";
import { BlockCard } from "@/components/agent/block-card";
import { Button } from "@/components/ui/button";
import { ConfirmAction } from "@/components/ui/confirm-action";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { useFailure } from "@/lib/use-failure";
import { BlockSettings } from "./block-settings";
import { HistoryDialog } from "./history-dialog";
import { useDetach, useEditBlock, useSharers, useVersions } from "./queries";
import { useUndo } from "./use-undo";

type SavedBlockProps = {
  agentId: string;
  block: Block;
  /** Absent at the ends of the list. */
  onUp: (() => void) | undefined;
  onDown: (() => void) | undefined;
};

/** A block as the server has it, with everything one can do to it. */
export function SavedBlock({ agentId, block, onUp, onDown }: SavedBlockProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const id = block.id ?? "";
  const label = block.label ?? "";
  const lack = useLack("block_history");
  const edit = useEditBlock(agentId);
  const { data: versions } = useVersions(agentId, id, 1);
  const { data: sharedBy } = useSharers(agentId, id);
  const newest = (lack === null && versions?.[0]) || null;
  const undo = useUndo(agentId, id, newest?.version ?? null);
  const [open, setOpen] = useState<"history" | "settings" | "detach" | null>(null);
  const close = (stays: boolean) => {
    if (!stays) setOpen(null);
  };
  const problem = edit.error ?? undo.error;
  return (
    <>
      <BlockCard
        block={{
          id,
          label,
          description: block.description ?? null,
          value: block.value,
          limit: block.limit ?? null,
          readOnly: block.read_only ?? false,
        }}
        saving={edit.isPending || undo.busy}
        problem={problem ? failure.words(problem) : null}
        onSave={(text, base) =>
          edit.mutateAsync({ id, edit: { value: text, base_value: base } }).catch(() => false)
        }
        sharedBy={sharedBy ?? []}
        newest={newest}
        historyLack={lack}
        onHistory={() => setOpen("history")}
        onUndo={undo.undo}
        onRedo={undo.redo}
        actions={
          <Menu>
            <MenuTrigger asChild>
              <Button size="icon" variant="quiet" aria-label={t("block.more", { label })}>
                <Ellipsis aria-hidden className="size-3.5" />
              </Button>
            </MenuTrigger>
            <MenuContent>
              <MenuItem lack={lack} onSelect={() => setOpen("history")}>
                {t("block.historyShort")}
              </MenuItem>
              <MenuItem onSelect={() => setOpen("settings")}>{t("block.settings")}</MenuItem>
              {onUp ? <MenuItem onSelect={onUp}>{t("block.moveUp")}</MenuItem> : null}
              {onDown ? <MenuItem onSelect={onDown}>{t("block.moveDown")}</MenuItem> : null}
              <MenuItem onSelect={() => setOpen("detach")}>{t("block.detach")}</MenuItem>
            </MenuContent>
          </Menu>
        }
      />
      <HistoryDialog agentId={agentId} block={block} open={open === "history"} onOpenChange={close} />
      <BlockSettings agentId={agentId} block={block} open={open === "settings"} onOpenChange={close} />
      <DetachBlock agentId={agentId} block={block} open={open === "detach"} onOpenChange={close} />
    </>
  );
}

type DetachProps = { agentId: string; block: Block; open: boolean; onOpenChange: (open: boolean) => void };

function DetachBlock({ agentId, block, open, onOpenChange }: DetachProps) {
  const { t } = useTranslation();
  const detach = useDetach(agentId);
  return (
    <ConfirmAction
      open={open}
      onOpenChange={onOpenChange}
      heading={t("block.detachHeading", { label: block.label ?? "" })}
      explanation={t("block.detachExplanation")}
      submit={t("block.detachSubmit")}
      variant="primary"
      action={detach}
      onConfirm={() => detach.mutate(block.id ?? "", { onSuccess: () => onOpenChange(false) })}
    />
  );
}

import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { useAttach, useOtherBlocks } from "./queries";

type AttachBlockProps = {
  agentId: string;
  attached: readonly string[];
  open: boolean;
  onOpenChange: (open: boolean) => void;
};

/** Gives the agent a block that exists already, so that agents share it. */
export function AttachBlock({ agentId, attached, open, onOpenChange }: AttachBlockProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent heading={t("block.attachHeading")} explanation={t("block.attachExplanation")}>
        <Choice agentId={agentId} attached={attached} onDone={() => onOpenChange(false)} />
      </DialogContent>
    </Dialog>
  );
}

type ChoiceProps = { agentId: string; attached: readonly string[]; onDone: () => void };

function Choice({ agentId, attached, onDone }: ChoiceProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending } = useOtherBlocks(agentId, attached);
  const attach = useAttach(agentId);
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const found = (data ?? []).filter(({ label, description, value }) =>
    [label, description, value].some((text) => text?.toLowerCase().includes(wanted)),
  );
  return (
    <div className="flex min-h-0 flex-col gap-3">
      <Input
        type="search"
        aria-label={t("block.attachSearch")}
        placeholder={t("block.attachSearch")}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      {attach.error ? <Problem {...failure.of(attach.error)} /> : null}
      {data && found.length === 0 ? <p className="text-muted-foreground">{t("block.attachNone")}</p> : null}
      <ul className="flex max-h-80 flex-col gap-1.5 overflow-y-auto">
        {found.map((block) => (
          <li
            key={block.id}
            className="flex items-center gap-3 rounded-md border bg-card px-3 py-2 [content-visibility:auto]"
          >
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{block.label}</p>
              <p className="line-clamp-2 text-xs break-words text-muted-foreground">
                {block.value || t("block.empty")}
              </p>
            </div>
            <Button
              size="sm"
              disabled={attach.isPending}
              aria-label={t("block.attachNamed", { label: block.label ?? "" })}
              onClick={() => attach.mutate(block.id ?? "", { onSuccess: onDone })}
            >
              {t("block.attachSubmit")}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { toApiError } from "@/api/error";
import type { Block } from "@/api/types";
import { BlockCard } from "@/components/agent/block-card";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { CreateBlock } from "./create-block";
import { useBlocks, useSaveBlock } from "./queries";

export function MemoryPanel({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data: blocks, error, isPending, refetch } = useBlocks(agentId);
  const [creating, setCreating] = useState(false);
  return (
    <div className="flex flex-col gap-3 p-3">
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? (
        <Problem {...failure.of(error)}>
          <Button size="sm" onClick={() => refetch()}>
            {t("common.tryAgain")}
          </Button>
        </Problem>
      ) : null}
      {blocks?.length === 0 ? <Empty heading={t("block.none")} /> : null}
      {blocks?.map((block) => (
        <SavedBlock key={block.id} agentId={agentId} block={block} />
      ))}
      <Button className="self-start" onClick={() => setCreating(true)}>
        <Plus aria-hidden className="size-4" />
        {t("block.create")}
      </Button>
      <CreateBlock agentId={agentId} open={creating} onOpenChange={setCreating} />
    </div>
  );
}

function SavedBlock({ agentId, block }: { agentId: string; block: Block }) {
  const save = useSaveBlock(agentId);
  return (
    <BlockCard
      block={{
        id: block.id,
        label: block.label ?? "",
        description: block.description ?? null,
        value: block.value,
        limit: block.limit ?? null,
        readOnly: block.read_only ?? false,
      }}
      saving={save.isPending}
      problem={save.error ? toApiError(save.error).message : null}
      onSave={(text, base) => save.mutateAsync({ id: block.id, text, base }).catch(() => false)}
    />
  );
}

import { Link, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Block } from "@/api/types";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { AttachBlock } from "./attach-block";
import { CreateBlock } from "./create-block";
import { useBlockOrder, useBlocks, useReorder } from "./queries";
import { SavedBlock } from "./saved-block";

export function MemoryPanel({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending, refetch } = useBlocks(agentId);
  const blocks = inOrder(data ?? [], useBlockOrder(agentId));
  const ids = blocks.map(({ id }) => id ?? "");
  const reorder = useReorder(agentId);
  const [adding, setAdding] = useState<"new" | "attach" | null>(null);
  const close = (stays: boolean) => {
    if (!stays) setAdding(null);
  };
  const move = (from: number, to: number) => {
    const next = ids.toSpliced(from, 1);
    next.splice(to, 0, ids[from] ?? "");
    reorder.mutate(next);
  };
  return (
    <div className="flex flex-col gap-3 p-3">
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      {reorder.error ? <Problem {...failure.of(reorder.error)} /> : null}
      {data?.length === 0 ? <Empty heading={t("block.none")} /> : null}
      {blocks.map((block, at) => (
        <SavedBlock
          key={block.id}
          agentId={agentId}
          block={block}
          onUp={at > 0 ? () => move(at, at - 1) : undefined}
          onDown={at < blocks.length - 1 ? () => move(at, at + 1) : undefined}
        />
      ))}
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => setAdding("new")}>
          <Plus aria-hidden className="size-4" />
          {t("block.create")}
        </Button>
        <Button onClick={() => setAdding("attach")}>
          <Link aria-hidden className="size-3.5" />
          {t("block.attach")}
        </Button>
      </div>
      <CreateBlock agentId={agentId} open={adding === "new"} onOpenChange={close} />
      <AttachBlock agentId={agentId} attached={ids} open={adding === "attach"} onOpenChange={close} />
    </div>
  );
}

/** As they stand in the prompt; what the order does not know yet comes last, by label. */
function inOrder(blocks: readonly Block[], order: readonly string[]): Block[] {
  const place = (block: Block) => {
    const at = order.indexOf(block.id ?? "");
    return at < 0 ? order.length : at;
  };
  return blocks.toSorted((a, b) => place(a) - place(b) || (a.label ?? "").localeCompare(b.label ?? ""));
}

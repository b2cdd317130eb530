import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Input } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import { useDelayed } from "@/lib/use-delayed";
import { AddPassage } from "./add-passage";
import { PassageCard } from "./passage-card";
import { useFoundPassages, usePassages } from "./queries";

/** Milliseconds after the last key before it is searched. */
const PAUSE = 250;

/** What the agent filed away: to read, to search as the agent does, to add to, and to delete. */
export function ArchivePanel({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const [search, setSearch] = useState("");
  const words = useDelayed(search, PAUSE).trim();
  const all = usePassages(agentId);
  const found = useFoundPassages(agentId, words);
  const [adding, setAdding] = useState(false);
  const shown = words === "" ? all : found;
  const entries = words === "" ? all.data?.pages.flat() : found.data;
  return (
    <div className="flex flex-col gap-3 p-3">
      <p className="text-xs text-muted-foreground">{t("archive.explanation")}</p>
      <Input
        type="search"
        aria-label={t("archive.search")}
        placeholder={t("archive.search")}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <QueryState {...shown} />
      {entries?.length === 0 ? (
        <Empty heading={t(words === "" ? "archive.none" : "archive.nothingFound")} />
      ) : null}
      <ul aria-label={t("archive.list")} className="flex flex-col gap-2 empty:hidden">
        {entries?.map((entry) => (
          <PassageCard key={entry.id} agentId={agentId} entry={entry} />
        ))}
      </ul>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => setAdding(true)}>
          <Plus aria-hidden className="size-4" />
          {t("archive.add")}
        </Button>
        {words === "" && all.hasNextPage ? (
          <Button disabled={all.isFetchingNextPage} onClick={() => void all.fetchNextPage()}>
            {all.isFetchingNextPage ? <Spinner /> : null}
            {t("archive.earlier")}
          </Button>
        ) : null}
      </div>
      <AddPassage agentId={agentId} open={adding} onOpenChange={setAdding} />
    </div>
  );
}

import { Plus } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Virtualizer } from "virtua";
import type { Agent } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { useFailure } from "@/lib/use-failure";
import { AgentRow } from "./agent-row";
import { Leaving, useDeletions } from "./deletions";
import { useAgentDialogs } from "./dialogs";
import { filtered, tagsOf } from "./filter";
import { useAgents, useWaiting } from "./queries";

type AgentListProps = {
  selected: string | null;
  onSelect: (agentId: string) => void;
};

/** From this many agents on, one can look for one. */
const MANY = 7;
/** From this many on, only those in sight are drawn. */
const VERY_MANY = 100;

export function AgentList({ selected, onSelect }: AgentListProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending, refetch } = useAgents();
  const waiting = useWaiting();
  const show = useAgentDialogs((dialogs) => dialogs.show);
  const leaving = useDeletions((deletions) => deletions.leaving);
  const [words, setWords] = useState("");
  const [tag, setTag] = useState<string | null>(null);
  const agents = useMemo(
    () => data?.filter(({ id }) => !leaving.some(({ agentId }) => agentId === id)),
    [data, leaving],
  );
  const tags = useMemo(() => tagsOf(agents ?? []), [agents]);
  const chosen = tag !== null && tags.includes(tag) ? tag : null;
  const found = useMemo(() => filtered(agents ?? [], words, chosen), [agents, words, chosen]);
  return (
    <section aria-labelledby="agents-heading" className="flex min-h-0 flex-1 flex-col">
      <header className="flex items-center justify-between py-1.5 pr-2 pl-4">
        <h2 id="agents-heading" className="text-xs font-semibold text-muted-foreground">
          {t("agents.heading")}
        </h2>
        <Button
          size="icon"
          variant="quiet"
          aria-label={t("agents.create")}
          title={t("agents.create")}
          onClick={() => show({ kind: "create" })}
        >
          <Plus aria-hidden className="size-4" />
        </Button>
      </header>
      {(agents?.length ?? 0) >= MANY ? (
        <div className="px-2 pb-1.5">
          <Input
            type="search"
            aria-label={t("agents.filter")}
            placeholder={t("agents.filter")}
            className="py-1"
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
        </div>
      ) : null}
      {tags.length > 0 ? <Tags tags={tags} chosen={chosen} onChoose={setTag} /> : null}
      {isPending ? <Spinner className="m-4" aria-label={t("common.loading")} /> : null}
      {error ? (
        <Problem className="m-2" {...failure.of(error)}>
          <Button size="sm" onClick={() => refetch()}>
            {t("common.tryAgain")}
          </Button>
        </Problem>
      ) : null}
      {agents?.length === 0 ? (
        <Empty heading={t("agents.none")}>
          {/* The one next step stands in the middle. */}
          <Button onClick={() => show({ kind: "create" })}>{t("agents.createFirst")}</Button>
        </Empty>
      ) : null}
      {agents && agents.length > 0 && found.length === 0 ? (
        <p role="status" className="px-4 py-1 text-muted-foreground">
          {t("agents.noneFound")}
        </p>
      ) : null}
      <Rows agents={found} selected={selected} waiting={waiting} onSelect={onSelect} />
      <Leaving />
    </section>
  );
}

type RowsProps = AgentListProps & { agents: readonly Agent[]; waiting: Record<string, number> };

function Rows({ agents, selected, waiting, onSelect }: RowsProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = agents.map((agent) => (
    <AgentRow
      key={agent.id}
      agent={agent}
      current={agent.id === selected}
      waiting={waiting[agent.id] ?? 0}
      onSelect={onSelect}
    />
  ));
  return (
    <div ref={scroll} className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
      {agents.length < VERY_MANY ? (
        <ul className="flex flex-col gap-0.5">
          {rows.map((row) => (
            <li key={row.key}>{row}</li>
          ))}
        </ul>
      ) : (
        <Virtualizer scrollRef={scroll} as="ul" item="li">
          {rows}
        </Virtualizer>
      )}
    </div>
  );
}

type TagsProps = { tags: readonly string[]; chosen: string | null; onChoose: (tag: string | null) => void };

function Tags({ tags, chosen, onChoose }: TagsProps) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div role="group" aria-label={t("agents.tags")} className="flex flex-wrap gap-1 px-3 pb-2">
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          aria-pressed={tag === chosen}
          className={cn(
            "max-w-full truncate rounded-full border px-2 text-xs leading-5",
            tag === chosen
              ? "border-accent bg-accent text-accent-foreground"
              : "text-muted-foreground hover:bg-muted hover:text-foreground",
          )}
          onClick={() => onChoose(tag === chosen ? null : tag)}
        >
          {tag}
        </button>
      ))}
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AuditEntry, Rule } from "@/api/approvals";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { Arguments } from "@/components/agent/arguments";
import { ruleSentence } from "@/components/agent/rule-sentence";
import { Button } from "@/components/ui/button";
import { Empty } from "@/components/ui/empty";
import { ChoiceField, TextField } from "@/components/ui/labelled";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { mainArgument } from "@/lib/arguments";
import { cn } from "@/lib/cn";
import { saveFile } from "@/lib/save-file";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { namedHidden } from "@/lib/visible";
import { type AuditFilter, auditPath, useAudit, useRules } from "./queries";

const EVENTS = ["decided", "started", "finished", "rule"] as const;
const DECIDERS = ["person", "rule", "expiry", "loci"] as const;
const ALL: AuditFilter = { agent_id: "", tool: "", event: "", decided_by: "" };

/** Every decision and what came of it. Nothing is ever changed or taken out here. */
export function AuditLog() {
  const { t } = useTranslation();
  const failure = useFailure();
  const api = useApi();
  const { data: agents } = useQuery(agentsQuery(api));
  const [filter, setFilter] = useState(ALL);
  const set = (change: Partial<AuditFilter>) => setFilter((before) => ({ ...before, ...change }));
  const log = useAudit(filter);
  const entries = log.data?.pages.flat() ?? [];
  const [exporting, setExporting] = useState<{ error: unknown } | "busy" | null>(null);
  const save = async () => {
    setExporting("busy");
    try {
      const answer = await api.stream("GET", auditPath(filter, { format: "jsonl", order: "asc" }), undefined);
      saveFile("loci-decisions.jsonl", await new Response(answer.body).text(), "application/jsonl");
      setExporting(null);
    } catch (error) {
      setExporting({ error });
    }
  };
  const any = { value: "", text: t("audit.any") };
  // Entries name rules by their id; those taken back are kept, so each can be said in its own words.
  const { data: rules } = useRules(true);
  const ruleOf = (id: string | null) => rules?.find((rule) => rule.id === id) ?? null;
  const nameOf = (id: string | null) => agents?.find((agent) => agent.id === id)?.name ?? id;
  return (
    <div className="flex flex-col gap-4">
      <div className="grid items-end gap-3 sm:grid-cols-4">
        <ChoiceField
          label={t("audit.agent")}
          value={filter.agent_id}
          options={[any, ...(agents ?? []).map(({ id, name }) => ({ value: id, text: name }))]}
          onChange={(agent_id) => set({ agent_id })}
        />
        <TextField label={t("audit.tool")} code value={filter.tool} onChange={(tool) => set({ tool })} />
        <ChoiceField
          label={t("audit.event")}
          value={filter.event}
          options={[any, ...EVENTS.map((name) => ({ value: name, text: t(`audit.events.${name}`) }))]}
          onChange={(event) => set({ event })}
        />
        <ChoiceField
          label={t("audit.decidedBy")}
          value={filter.decided_by}
          options={[any, ...DECIDERS.map((name) => ({ value: name, text: t(`audit.deciders.${name}`) }))]}
          onChange={(decided_by) => set({ decided_by })}
        />
      </div>
      <Button className="self-start" disabled={exporting === "busy"} onClick={() => void save()}>
        {exporting === "busy" ? <Spinner /> : <Download aria-hidden className="size-3.5" />}
        {t("audit.export")}
      </Button>
      {exporting !== null && exporting !== "busy" ? <Problem {...failure.of(exporting.error)} /> : null}
      {log.isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {log.error ? <Problem {...failure.of(log.error)} /> : null}
      {log.data && entries.length === 0 ? <Empty heading={t("audit.none")} /> : null}
      <ol className="flex flex-col">
        {entries.map((entry) => (
          <li key={entry.sequence} className="border-b [content-visibility:auto] last:border-b-0">
            <EntryRow entry={entry} agent={nameOf(entry.agent_id)} rule={ruleOf(entry.rule_id)} />
          </li>
        ))}
      </ol>
      {log.hasNextPage ? (
        <Button
          className="self-start"
          disabled={log.isFetchingNextPage}
          onClick={() => void log.fetchNextPage()}
        >
          {t("audit.earlier")}
        </Button>
      ) : null}
    </div>
  );
}

const BAD = new Set(["deny", "error", "unknown"]);

type EntryRowProps = { entry: AuditEntry; agent: string | null; rule: Rule | null };

function EntryRow({ entry, agent, rule }: EntryRowProps) {
  const { t } = useTranslation();
  const say = useSay();
  const ofRule = entry.event === "rule";
  const facts: [string, string | null][] = [
    [t("audit.reason"), entry.reason],
    [t("audit.confinement"), entry.confined?.map(say).join("; ") ?? entry.confinement],
    [t("audit.rule"), rule ? ruleSentence(rule, t) : entry.rule_id],
    [t("audit.hash"), entry.hash],
    [t("audit.call"), entry.tool_call_id],
  ];
  return (
    <details>
      <summary className="flex items-baseline gap-2 py-1.5">
        <When date={entry.at} className="w-28 shrink-0 text-xs text-muted-foreground" />
        <span className={cn("w-28 shrink-0 font-medium", BAD.has(entry.outcome) && "text-danger")}>
          {t(`audit.outcomes.${entry.outcome}`, { defaultValue: entry.outcome })}
        </span>
        <span className="shrink-0 font-mono text-xs font-semibold">{entry.tool}</span>
        <span className="min-w-0 flex-1 truncate font-mono text-xs text-muted-foreground">
          {ofRule ? (rule?.text ?? entry.rule_id) : namedHidden(mainArgument(entry.arguments))}
        </span>
        <span className="shrink-0 text-xs text-muted-foreground">
          {agent ? `${agent} · ` : ""}
          {t(`audit.deciders.${entry.decided_by}`, { defaultValue: entry.decided_by })}
        </span>
      </summary>
      <div className="flex flex-col gap-2 pb-3 pl-3">
        {ofRule ? null : <Arguments json={entry.arguments} />}
        {entry.original_arguments ? (
          <div>
            <p className="text-xs font-medium">{t("audit.original")}</p>
            <Arguments json={entry.original_arguments} />
          </div>
        ) : null}
        <dl className="grid grid-cols-[auto_1fr] gap-x-3 text-xs">
          {facts.map(([name, value]) =>
            value ? (
              <div key={name} className="contents">
                <dt className="text-muted-foreground">{name}</dt>
                <dd className="break-all">{value}</dd>
              </div>
            ) : null,
          )}
        </dl>
      </div>
    </details>
  );
}

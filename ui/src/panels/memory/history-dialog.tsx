import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Block } from "@/api/types";
import type { BlockVersion } from "@/api/workbench";
import { authorship } from "@/components/agent/authorship";
import { QueryState } from "@/components/agent/query-state";
import { Button } from "@/components/ui/button";
import { CodeDiff } from "@/components/ui/code";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { When } from "@/components/ui/when";
import { cn } from "@/lib/cn";
import { useFailure } from "@/lib/use-failure";
import { useRestore, useVersions } from "./queries";

type HistoryDialogProps = {
  agentId: string;
  block: Block;
  open: boolean;
  onOpenChange: (open: boolean) => void;
};

/** Every version of a block: who changed it, what changed, and the way back. */
export function HistoryDialog({ agentId, block, open, onOpenChange }: HistoryDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        heading={t("block.historyHeading", { label: block.label ?? "" })}
        explanation={t("block.historyExplanation")}
        className="w-[min(72rem,calc(100vw-2rem))]"
      >
        <History agentId={agentId} blockId={block.id ?? ""} />
      </DialogContent>
    </Dialog>
  );
}

const PAGE = 50;

function History({ agentId, blockId }: { agentId: string; blockId: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const [limit, setLimit] = useState(PAGE);
  const [chosen, setChosen] = useState<number | null>(null);
  // One more than is shown: the oldest shown has something to be compared with.
  const { data, error, isPending, isFetching, refetch } = useVersions(agentId, blockId, limit + 1);
  const restore = useRestore(agentId);
  const shown = data?.slice(0, limit) ?? [];
  const current = shown[0];
  const at = Math.max(
    0,
    shown.findIndex(({ version }) => version === chosen),
  );
  const version = shown[at];
  return (
    <div className="flex min-h-0 flex-col gap-3">
      <QueryState isPending={isPending} error={error} refetch={refetch} />
      <div className="grid min-h-0 gap-4 sm:grid-cols-[15rem_minmax(0,1fr)]">
        <nav
          aria-label={t("block.versions")}
          className="flex max-h-40 flex-col gap-0.5 overflow-y-auto sm:max-h-[60vh]"
        >
          {shown.map((each) => (
            <button
              key={each.version}
              type="button"
              aria-current={each === version ? "true" : undefined}
              className={cn(
                "flex flex-col rounded-md px-2 py-1.5 text-left hover:bg-muted",
                each === version && "bg-accent-soft",
              )}
              onClick={() => setChosen(each.version)}
            >
              <span className="font-medium">
                {t(each === current ? "block.current" : "block.version", { version: each.version })}
              </span>
              <Author version={each} />
            </button>
          ))}
          {data && data.length > limit ? (
            <Button size="sm" className="mt-1" disabled={isFetching} onClick={() => setLimit(limit + PAGE)}>
              {t("block.earlier")}
            </Button>
          ) : null}
        </nav>
        {version && current ? (
          <Comparison
            key={version.version}
            version={version}
            previous={data?.[at + 1] ?? null}
            current={current}
            busy={restore.isPending}
            onRestore={() =>
              restore.mutate(
                { id: blockId, version: version.version, base: current.version },
                { onSuccess: (now) => setChosen(now.version) },
              )
            }
          />
        ) : null}
      </div>
      {restore.error ? <Problem {...failure.of(restore.error)} /> : null}
      {restore.data ? (
        <p role="status" className="text-success">
          {t("block.restored", { version: restore.variables?.version })}
        </p>
      ) : null}
    </div>
  );
}

function Author({ version }: { version: BlockVersion }) {
  const { t } = useTranslation();
  return (
    <span className="text-xs text-muted-foreground">
      {authorship(version, t)}
      {version.tool_name ? ` ${t("block.withTool", { tool: version.tool_name })}` : ""}
      {" · "}
      <When date={version.at} />
    </span>
  );
}

type ComparisonProps = {
  version: BlockVersion;
  previous: BlockVersion | null;
  current: BlockVersion;
  busy: boolean;
  onRestore: () => void;
};

function Comparison({ version, previous, current, busy, onRestore }: ComparisonProps) {
  const { t } = useTranslation();
  // Whoever looks at an old version mostly asks what going back to it would change.
  const [against, setAgainst] = useState<"previous" | "current">("current");
  const isCurrent = version.version === current.version;
  const name = (each: BlockVersion) =>
    t(each.version === current.version ? "block.current" : "block.version", { version: each.version });
  const withNow = against === "current" && !isCurrent;
  const [left, right] = withNow ? [version, current] : [previous, version];
  return (
    <section aria-label={name(version)} className="flex min-h-0 min-w-0 flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is inside */}
        <label className="flex items-center gap-2 text-muted-foreground">
          <span className="whitespace-nowrap">{t("block.compareWith")}</span>
          <Select
            value={isCurrent ? "previous" : against}
            disabled={isCurrent}
            onChange={(event) => setAgainst(event.target.value === "current" ? "current" : "previous")}
          >
            <option value="previous">{t("block.comparePrevious")}</option>
            <option value="current">{t("block.compareCurrent")}</option>
          </Select>
        </label>
        <Button
          variant="primary"
          className="ml-auto"
          disabled={busy || isCurrent}
          title={isCurrent ? t("block.same") : undefined}
          onClick={onRestore}
        >
          {t("block.restore")}
        </Button>
      </div>
      <CodeDiff
        className="max-h-[52vh] min-h-40"
        before={left?.value ?? ""}
        after={right?.value ?? ""}
        beforeLabel={left ? name(left) : t("block.created")}
        afterLabel={right ? name(right) : ""}
      />
      {left && right ? <OtherChanges before={left} after={right} /> : null}
    </section>
  );
}

/** What besides the value is different. */
function OtherChanges({ before, after }: { before: BlockVersion; after: BlockVersion }) {
  const { t } = useTranslation();
  const what = [
    before.label === after.label
      ? null
      : t("block.changedLabel", { before: before.label, after: after.label }),
    before.limit === after.limit
      ? null
      : t("block.changedLimit", { before: before.limit, after: after.limit }),
    before.description === after.description ? null : t("block.changedDescription"),
    before.read_only === after.read_only ? null : t("block.changedReadOnly"),
  ].filter((words) => words !== null);
  if (what.length === 0) return null;
  return (
    <p className="text-xs text-muted-foreground">{t("block.otherChanges", { what: what.join(", ") })}</p>
  );
}

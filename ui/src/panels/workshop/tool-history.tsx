import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { CodeDiff } from "@/components/ui/code";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { When } from "@/components/ui/when";
import { useFailure } from "@/lib/use-failure";
import type { StoredTool } from "./draft";
import { type ToolVersion, useRestoreTool, useToolVersions } from "./queries";

type ToolHistoryProps = { tool: StoredTool; onRestored: () => void };

/** Every state the tool was in, and the way back to it. */
export function ToolHistory({ tool, onRestored }: ToolHistoryProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending } = useToolVersions(tool);
  const restore = useRestoreTool(tool);
  const [shown, setShown] = useState<ToolVersion | null>(null);
  const current = data?.[0];
  return (
    <div className="flex flex-col gap-5">
      <section aria-label={t("workshop.versions")} className="flex flex-col gap-1">
        <h3 className="font-semibold">{t("workshop.versions")}</h3>
        {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
        {error ? <Problem {...failure.of(error)} /> : null}
        {restore.error ? <Problem {...failure.of(restore.error)} /> : null}
        <ol className="flex flex-col gap-1">
          {data?.map((version) => (
            <li
              key={version.version}
              className="flex items-center gap-2 rounded-md border bg-card px-2.5 py-1.5"
            >
              <span className="min-w-0 flex-1">
                <span className="font-medium">
                  {t(version === current ? "block.current" : "block.version", { version: version.version })}
                </span>
                <span className="block text-xs text-muted-foreground">
                  <span className="font-mono">{version.name}</span> · <When date={version.at} />
                </span>
              </span>
              {version === current ? null : (
                <Button size="sm" onClick={() => setShown(version)}>
                  {t("workshop.compare")}
                </Button>
              )}
            </li>
          ))}
        </ol>
      </section>
      <Dialog open={shown !== null} onOpenChange={(open) => !open && setShown(null)}>
        {shown && current ? (
          <DialogContent
            heading={t("block.version", { version: shown.version })}
            explanation={t("workshop.restoreExplanation")}
            className="w-[min(72rem,calc(100vw-2rem))]"
          >
            <CodeDiff
              className="max-h-[60vh] min-h-40"
              language={shown.source_type === "typescript" ? "typescript" : "python"}
              before={shown.source_code ?? ""}
              after={current.source_code ?? ""}
              beforeLabel={t("block.version", { version: shown.version })}
              afterLabel={t("block.current", { version: current.version })}
            />
            <footer className="flex justify-end gap-2">
              <Button onClick={() => setShown(null)}>{t("common.cancel")}</Button>
              <Button
                variant="primary"
                disabled={restore.isPending}
                onClick={() =>
                  restore.mutate(shown.version, {
                    onSuccess: () => {
                      setShown(null);
                      onRestored();
                    },
                  })
                }
              >
                {t("block.restore")}
              </Button>
            </footer>
          </DialogContent>
        ) : null}
      </Dialog>
    </div>
  );
}

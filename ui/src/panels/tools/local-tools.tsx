import { useTranslation } from "react-i18next";
import type { CatalogueTool } from "@/api/workbench";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { useToolAbout } from "@/lib/use-tool-about";
import { FolderChoice } from "./folder-choice";
import { useAgentTools, useClientTools, useOffer } from "./queries";

/** What this machine offers the agent: folders, and a switch for every tool. */
export function LocalTools({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending } = useClientTools(agentId);
  const offer = useOffer(agentId);
  const attached = new Set(useAgentTools(agentId).data?.map(({ name }) => name));
  return (
    <section aria-labelledby="local-tools" className="flex flex-col gap-2">
      <h2 id="local-tools" className="font-semibold">
        {t("tools.local")}
      </h2>
      <p className="text-muted-foreground">{t("tools.localExplanation")}</p>
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      {data ? <FolderChoice agentId={agentId} folders={data.folders ?? []} /> : null}
      {offer.error ? <Problem {...failure.of(offer.error)} /> : null}
      <ul className="flex flex-col gap-1.5">
        {data?.catalogue?.map((tool) => (
          <LocalTool
            key={tool.name}
            tool={tool}
            shadows={attached.has(tool.name)}
            busy={offer.isPending}
            onOffer={(offered) => offer.mutate({ tool: tool.name, offered })}
          />
        ))}
      </ul>
    </section>
  );
}

type LocalToolProps = {
  tool: CatalogueTool;
  /** The agent has one of its server's with this name. */
  shadows: boolean;
  busy: boolean;
  onOffer: (offered: boolean) => void;
};

function LocalTool({ tool, shadows, busy, onOffer }: LocalToolProps) {
  const { t } = useTranslation();
  const say = useSay();
  const about = useToolAbout()(tool, tool.origin);
  const marks = [
    tool.origin === "own" ? t("tools.own") : null,
    tool.read_only ? t("tools.readOnly") : null,
    tool.dangerous ? t("tools.dangerous") : null,
    tool.needs_folder ? t("tools.needsFolder") : null,
  ].filter((mark) => mark !== null);
  return (
    <li aria-label={tool.name} className="flex flex-col gap-0.5 rounded-md border bg-card px-2.5 py-1.5">
      <div className="flex items-center gap-2">
        <p className="min-w-0 flex-1 truncate font-mono text-xs font-semibold">{tool.name}</p>
        <Switch
          checked={tool.offered}
          disabled={busy}
          aria-label={t("tools.offer", { name: tool.name })}
          onCheckedChange={onOffer}
        />
      </div>
      <p className="line-clamp-2 text-xs text-muted-foreground empty:hidden">{about}</p>
      {marks.length > 0 ? <p className="text-xs text-muted-foreground">{marks.join(" · ")}</p> : null}
      {shadows ? (
        <p className={cn("text-xs", tool.offered ? "text-waiting-foreground" : "text-muted-foreground")}>
          {t(tool.offered ? "tools.shadows" : "tools.wouldShadow", { name: tool.name })}
        </p>
      ) : null}
      {tool.problem ? <p className="text-xs text-danger">{say(tool.problem)}</p> : null}
    </li>
  );
}

import { useTranslation } from "react-i18next";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";
import { FolderChoice } from "./folder-choice";
import { useAgentTools, useClientTools } from "./queries";

export function ToolsPanel({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const local = useClientTools(agentId);
  const own = useAgentTools(agentId);
  return (
    <div className="flex flex-col gap-5 p-3">
      <section aria-labelledby="local-tools" className="flex flex-col gap-2">
        <h2 id="local-tools" className="font-semibold">
          {t("tools.local")}
        </h2>
        <p className="text-muted-foreground">{t("tools.localExplanation")}</p>
        {local.error ? <Problem {...failure.of(local.error)} /> : null}
        {local.data ? (
          <>
            <FolderChoice key={local.data.folder} agentId={agentId} folder={local.data.folder} />
            <ToolList tools={local.data.tools} />
          </>
        ) : null}
      </section>
      <section aria-labelledby="own-tools" className="flex flex-col gap-2">
        <h2 id="own-tools" className="font-semibold">
          {t("tools.attached")}
        </h2>
        {own.isPending ? <Spinner aria-label={t("common.loading")} /> : null}
        {own.error ? <Problem {...failure.of(own.error)} /> : null}
        {own.data?.length === 0 ? <p className="text-muted-foreground">{t("tools.none")}</p> : null}
        <ToolList tools={own.data ?? []} />
      </section>
    </div>
  );
}

type Named = { name?: string | null; description?: string | null };

function ToolList({ tools }: { tools: readonly Named[] }) {
  return (
    <ul className="flex flex-col gap-1.5">
      {tools.map(({ name, description }) => (
        <li key={name} className="rounded-md border bg-card px-2.5 py-1.5">
          <p className="font-mono text-xs font-semibold">{name}</p>
          {description ? <p className="line-clamp-3 text-xs text-muted-foreground">{description}</p> : null}
        </li>
      ))}
    </ul>
  );
}

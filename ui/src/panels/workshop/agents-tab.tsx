import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { useIsLocal } from "@/api/use-local";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { Switch } from "@/components/ui/switch";
import { useFailure } from "@/lib/use-failure";
import type { StoredTool } from "./draft";
import { useGive, useHolders } from "./who-has-it";

/** Who has the tool, with a switch for every agent. */
export function AgentsTab({ tool }: { tool: StoredTool | null }) {
  const { t } = useTranslation();
  const local = useIsLocal();
  if (!tool) return <p className="text-muted-foreground">{t("workshop.noAgentsYet")}</p>;
  if (tool.place === "server" && !local) {
    return <p className="text-muted-foreground">{t("workshop.agentsElsewhere")}</p>;
  }
  return <Holders tool={tool} />;
}

function Holders({ tool }: { tool: StoredTool }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const agents = useQuery(agentsQuery(useApi()));
  const holders = useHolders(tool);
  const give = useGive(tool);
  const error = agents.error ?? holders.error ?? give.error;
  const having = new Map(holders.data?.map((holder) => [holder.id, holder]));
  return (
    <section aria-label={t("workshop.usedBy")} className="flex flex-col gap-2">
      <p className="text-muted-foreground">{t(`workshop.agentsHint.${tool.place}`)}</p>
      {error ? <Problem {...failure.of(error)} /> : null}
      {agents.isPending || holders.isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {agents.data?.length === 0 ? <p className="text-muted-foreground">{t("workshop.noAgents")}</p> : null}
      {holders.data ? (
        <ul className="flex flex-col gap-1.5">
          {agents.data?.map(({ id, name }) => {
            const holder = having.get(id);
            return (
              <li
                key={id}
                aria-label={name}
                className="flex items-center gap-2 rounded-md border bg-card px-2.5 py-1.5"
              >
                <span className="min-w-0 flex-1">
                  <span className="block truncate">{name}</span>
                  {holder?.asks ? (
                    <span className="block text-xs text-muted-foreground">
                      {t(`workshop.asks.${tool.place}`)}
                    </span>
                  ) : null}
                </span>
                <Switch
                  checked={holder !== undefined}
                  disabled={give.isPending}
                  aria-label={t(`workshop.give.${tool.place}`, { agent: name })}
                  onCheckedChange={(on) => give.mutate({ agentId: id, on })}
                />
              </li>
            );
          })}
        </ul>
      ) : null}
    </section>
  );
}

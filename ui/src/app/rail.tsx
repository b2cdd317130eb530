import { useQuery } from "@tanstack/react-query";
import { Cpu, Hammer, Inbox, Search, Settings } from "lucide-react";
import { useTranslation } from "react-i18next";
import { asksSomebody } from "@/api/approvals";
import { useApi } from "@/api/context";
import { approvalsQuery } from "@/api/queries";
import { cn } from "@/lib/cn";
import { AgentList, ConnectionSwitcher } from "@/panels";
import { readable } from "./commands";
import { type Place, useLayout } from "./layout";
import { openPalette } from "./overlays";
import { Part } from "./part";

const PLACES = {
  approvals: Inbox,
  workshop: Hammer,
  models: Cpu,
  settings: Settings,
} satisfies Partial<Record<Place, typeof Cpu>>;

/** Agents at the top, places at the bottom. */
export function Rail() {
  const { t } = useTranslation();
  const { place, agentId, goTo, selectAgent } = useLayout();
  const waiting = useQuery(approvalsQuery(useApi())).data?.filter(asksSomebody).length ?? 0;
  return (
    <nav aria-label={t("rail.label")} className="flex h-full flex-col bg-rail">
      <div className="p-2 pb-0">
        <button
          type="button"
          className="flex w-full items-center gap-2 rounded-md border bg-background px-2 py-1.5 text-left text-muted-foreground hover:border-input hover:text-foreground"
          onClick={openPalette}
        >
          <Search aria-hidden className="size-4" />
          <span className="flex-1">{t("rail.search")}</span>
          <kbd aria-hidden className="font-sans text-xs">
            {readable("mod+k", t)}
          </kbd>
        </button>
      </div>
      <Part>
        <AgentList selected={place === "agent" ? agentId : null} onSelect={selectAgent} />
      </Part>
      <div className="border-t p-2 empty:hidden">
        <ConnectionSwitcher onManage={() => goTo("models")} />
      </div>
      <ul className="flex flex-col gap-0.5 border-t p-2">
        {(Object.keys(PLACES) as Array<keyof typeof PLACES>).map((name) => {
          const Icon = PLACES[name];
          return (
            <li key={name}>
              <button
                type="button"
                aria-current={place === name ? "page" : undefined}
                className={cn(
                  "flex w-full items-center gap-2 rounded-md px-2 py-1.5 text-left font-medium hover:bg-muted",
                  place === name && "bg-accent-soft",
                )}
                onClick={() => goTo(name)}
              >
                <Icon aria-hidden className="size-4 text-muted-foreground" />
                {t(`rail.${name}`)}
                {name === "approvals" && waiting > 0 ? (
                  <span className="ml-auto rounded-full bg-waiting px-1.5 text-xs font-semibold text-black tabular-nums">
                    <span aria-hidden>{waiting}</span>
                    <span className="sr-only">{t("approval.waitingCount", { count: waiting })}</span>
                  </span>
                ) : null}
              </button>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

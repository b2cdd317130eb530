import { Check, ChevronsUpDown, Monitor, Server, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { cn } from "@/lib/cn";
import { useSay } from "@/lib/say";
import { tellFailure } from "@/lib/told-failure";
import { useConnectionName } from "@/lib/use-connection-name";
import { useConnections, useSelectConnection } from "./queries";

/** Where the agents on screen run, and the way to those elsewhere. Not there while this machine is all there is. */
export function ConnectionSwitcher({ onManage }: { onManage: () => void }) {
  const { t } = useTranslation();
  const say = useSay();
  const { data } = useConnections();
  const nameOf = useConnectionName();
  const select = useSelectConnection();
  if (!data || data.length < 2) return null;
  const current = data.find(({ selected }) => selected);
  const Icon = current?.kind === "remote" ? Server : Monitor;
  return (
    <Menu modal={false}>
      <MenuTrigger asChild>
        <button
          type="button"
          className="flex w-full min-w-0 items-center gap-2 rounded-md px-2 py-1.5 text-left font-medium hover:bg-muted"
        >
          <Icon aria-hidden className="size-4 shrink-0 text-muted-foreground" />
          <span className="sr-only">{t("connections.heading")}: </span>
          <span className="min-w-0 flex-1 truncate">{current ? nameOf(current) : null}</span>
          <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-muted-foreground" />
        </button>
      </MenuTrigger>
      <MenuContent align="start" className="w-56">
        {data.map(({ id, kind, name, selected, health, problem }) => (
          <MenuItem
            key={id}
            aria-current={selected || undefined}
            disabled={select.isPending}
            lack={selected ? null : say(problem)}
            onSelect={() => {
              if (!selected) select.mutate(id, { onError: tellFailure });
            }}
          >
            <Check aria-hidden className={cn("size-3.5 shrink-0 text-accent", !selected && "invisible")} />
            <span className="min-w-0 flex-1 truncate">{nameOf({ kind, name })}</span>
            {health && !health.ok ? (
              <>
                <TriangleAlert aria-hidden className="size-3.5 shrink-0 text-danger" />
                <span className="sr-only">{say(health.said)}</span>
              </>
            ) : null}
          </MenuItem>
        ))}
        <MenuItem className="mt-1 border-t pl-7.5" onSelect={onManage}>
          {t("connections.manage")}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

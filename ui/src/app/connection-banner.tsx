import { useQuery } from "@tanstack/react-query";
import { CloudOff } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { connectionsQuery } from "@/api/queries";
import { useReach } from "@/api/reach";
import { useIsLocal } from "@/api/use-local";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { tellFailure } from "@/lib/told-failure";
import { useFailure } from "@/lib/use-failure";
import { useRetryConnection, useSelectConnection } from "@/panels";

/** Milliseconds without an answer after which a wait is worth a word. */
const PATIENCE = 3000;

/** Says once, above everything, that the agents' server is out of reach or slow, with the ways on. */
export function ConnectionBanner() {
  const { t } = useTranslation();
  const failure = useFailure();
  const isLocal = useIsLocal();
  const { data } = useQuery({ ...connectionsQuery(useApi()), enabled: !isLocal });
  const connection = data?.find(({ selected }) => selected) ?? null;
  const { trouble } = useReach();
  const seconds = useWaiting(!isLocal && !trouble);
  const retry = useRetryConnection();
  const select = useSelectConnection();
  if (!trouble && seconds === null) return null;
  const words =
    trouble === null
      ? t("reach.slow", { name: connection?.name ?? "Loci", seconds })
      : // Whose part it is stands in the sentence, and what to do.
        failure.of(trouble).message;
  return (
    <section
      aria-label={t("reach.label")}
      className="flex shrink-0 animate-appear flex-wrap items-center gap-x-3 gap-y-2 border-b border-waiting bg-waiting-soft px-4 py-2"
    >
      <CloudOff aria-hidden className="size-4 shrink-0 text-waiting-foreground" />
      <p role="status" className="min-w-48 flex-1">
        {words}
      </p>
      <span className="flex gap-2">
        <Button
          size="sm"
          disabled={retry.isPending}
          onClick={() => retry.mutate(isLocal ? null : (connection?.id ?? null))}
        >
          {retry.isPending ? <Spinner className="size-3.5" /> : null}
          {t("common.tryAgain")}
        </Button>
        {isLocal ? null : (
          <Button
            size="sm"
            disabled={select.isPending}
            onClick={() => select.mutate("local", { onError: tellFailure })}
          >
            {t("reach.useLocal")}
          </Button>
        )}
      </span>
    </section>
  );
}

/** Whole seconds the oldest question has waited, once that is long. */
function useWaiting(watching: boolean): number | null {
  const since = useReach((reach) => reach.since);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!watching || since === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [watching, since]);
  if (!watching || since === null || now - since < PATIENCE) return null;
  return Math.floor((now - since) / 1000);
}

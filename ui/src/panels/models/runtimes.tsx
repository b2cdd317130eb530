import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { Said } from "@/api/said";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { count } from "@/lib/quantity";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";

/** A place on this machine where models may run, and what is there. */
type Runtime = {
  kind: string;
  name: string;
  title: string;
  base_url: string;
  state: "absent" | "running" | "needs_key" | "unclear";
  version: string | null;
  models: string[];
  context_length: number | null;
  problem: Said | null;
};
type Runtimes = { runtimes: Runtime[]; checked_at: string | null };

const KEY = [...keys.providers(), "runtimes"] as const;

/** Programs of this machine that run models. Those that answer are used as they are. */
export function RuntimesSection() {
  const { t, i18n } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const api = useApi();
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: () => api.json<Runtimes>("GET", "/workbench/runtimes"),
  });
  const look = useMutation({
    mutationFn: () => api.json<Runtimes>("POST", "/workbench/runtimes/refresh"),
    onSuccess: (seen) => {
      queries.setQueryData(KEY, seen);
      return queries.invalidateQueries({ queryKey: keys.models() });
    },
  });
  const problem = look.error ?? error;
  return (
    <section aria-labelledby="runtimes-heading" className="flex flex-col gap-2">
      <header className="flex items-center justify-between">
        <h2 id="runtimes-heading" className="font-semibold">
          {t("models.runtimes")}
        </h2>
        <Button size="sm" disabled={look.isPending} onClick={() => look.mutate()}>
          {look.isPending ? <Spinner /> : null}
          {t("models.findRuntimes")}
        </Button>
      </header>
      {problem ? <Problem {...failure.of(problem)} /> : null}
      <ul className="grid gap-2 sm:grid-cols-2">
        {data?.runtimes.map((runtime) => (
          <li
            key={runtime.base_url}
            aria-label={runtime.title}
            className="flex flex-col gap-0.5 rounded-md border bg-card px-3 py-2"
          >
            <p className="flex items-baseline gap-2">
              <span className="font-medium">{runtime.title}</span>
              <span
                className={cn(
                  "text-xs",
                  runtime.state === "running" ? "text-success" : "text-muted-foreground",
                )}
              >
                {t(`models.runtimeStates.${runtime.state}`)}
              </span>
            </p>
            {runtime.state === "absent" ? null : (
              <p className="truncate text-xs text-muted-foreground">
                <span className="font-mono">{runtime.base_url}</span>
                {runtime.version ? ` · ${runtime.version}` : ""}
                {runtime.state === "running"
                  ? ` · ${t("models.runtimeModels", { count: runtime.models.length })}`
                  : ""}
                {runtime.context_length
                  ? ` · ${t("models.contextTokens", { tokens: count(runtime.context_length, i18n.language) })}`
                  : ""}
              </p>
            )}
            {runtime.problem && runtime.state !== "absent" ? (
              <p className="text-xs text-waiting-foreground">{say(runtime.problem)}</p>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

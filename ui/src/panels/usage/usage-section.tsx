import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { Empty } from "@/components/ui/empty";
import { Field, Select } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { count, dollars } from "@/lib/quantity";
import { useFailure } from "@/lib/use-failure";
import { Budgets } from "./budgets";

/** The sum of some model calls; costs are at list prices. */
type Sum = {
  key: string;
  name?: string;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  tokens_estimated: boolean;
  cost_usd: number | null;
  cost_is_partial: boolean;
};
type Usage = { total: Sum; groups: Sum[] };

const GROUPS = ["day", "agent", "model", "kind"] as const;
const SPANS = { week: 7, month: 30, quarter: 91 } as const;

/** What models were used for and what that cost, as bars one can read without colour. */
export function UsageSection() {
  const { t, i18n } = useTranslation();
  const failure = useFailure();
  const api = useApi();
  const [group, setGroup] = useState<(typeof GROUPS)[number]>("day");
  const [span, setSpan] = useState<keyof typeof SPANS>("month");
  const { data, error, isPending } = useQuery({
    queryKey: ["usage", group, span],
    queryFn: () => {
      const from = new Date(Date.now() - SPANS[span] * 86_400_000).toISOString();
      return api.json<Usage>("GET", `/workbench/usage?${new URLSearchParams({ group_by: group, from })}`);
    },
  });
  const most = Math.max(1, ...(data?.groups ?? []).map(({ total_tokens }) => total_tokens));
  const money = (sum: Sum) =>
    sum.cost_usd === null
      ? t("usage.noPrice")
      : `${sum.cost_is_partial ? "≥ " : ""}${dollars(sum.cost_usd, i18n.language)}`;
  const tokens = (sum: Sum) => `${sum.tokens_estimated ? "≈ " : ""}${count(sum.total_tokens, i18n.language)}`;
  const groups =
    group === "day" ? (data?.groups ?? []).toSorted((a, b) => a.key.localeCompare(b.key)) : data?.groups;
  return (
    <div className="flex flex-col gap-8">
      <section aria-labelledby="usage-heading" className="flex flex-col gap-4">
        <header className="flex flex-col gap-1">
          <h2 id="usage-heading" className="font-semibold">
            {t("usage.heading")}
          </h2>
          <p className="text-muted-foreground">{t("usage.explanation")}</p>
        </header>
        <div className="grid max-w-96 grid-cols-2 gap-3">
          <Field label={t("usage.by")}>
            {(control) => (
              <Select
                {...control}
                value={group}
                onChange={(event) => setGroup(event.target.value as typeof group)}
              >
                {GROUPS.map((each) => (
                  <option key={each} value={each}>
                    {t(`usage.groups.${each}`)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label={t("usage.span")}>
            {(control) => (
              <Select
                {...control}
                value={span}
                onChange={(event) => setSpan(event.target.value as typeof span)}
              >
                {Object.keys(SPANS).map((each) => (
                  <option key={each} value={each}>
                    {t(`usage.spans.${each}`)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
        {error ? <Problem {...failure.of(error)} /> : null}
        {data && data.total.calls === 0 ? <Empty heading={t("usage.none")} /> : null}
        {data && data.total.calls > 0 ? (
          <>
            <p className="tabular-nums">
              <strong>{money(data.total)}</strong>{" "}
              <span className="text-muted-foreground">
                {t("usage.total", {
                  calls: count(data.total.calls, i18n.language),
                  input: count(data.total.prompt_tokens, i18n.language),
                  output: count(data.total.completion_tokens, i18n.language),
                })}
              </span>
            </p>
            <table className="w-full text-left tabular-nums">
              <caption className="sr-only">{t("usage.heading")}</caption>
              <thead className="text-xs text-muted-foreground">
                <tr className="border-b">
                  <th scope="col" className="py-1 pr-3 font-medium">
                    {t(`usage.groups.${group}`)}
                  </th>
                  <th scope="col" className="w-1/2 py-1 pr-3 font-medium">
                    {t("usage.tokens")}
                  </th>
                  <th scope="col" className="py-1 text-right font-medium">
                    {t("usage.cost")}
                  </th>
                </tr>
              </thead>
              <tbody>
                {groups?.map((sum) => (
                  <tr key={sum.key} className="border-b last:border-b-0">
                    <th scope="row" className="max-w-60 truncate py-1 pr-3 font-normal">
                      {sum.name ?? sum.key}
                    </th>
                    <td className="py-1 pr-3">
                      <span className="flex items-center gap-2">
                        <span className="flex h-3 flex-1">
                          <span
                            aria-hidden
                            className="h-full rounded-l-sm bg-accent"
                            style={{ width: `${(sum.prompt_tokens / most) * 100}%` }}
                          />
                          <span
                            aria-hidden
                            className="h-full rounded-r-sm bg-accent/50"
                            style={{ width: `${(sum.completion_tokens / most) * 100}%` }}
                          />
                        </span>
                        <span className="w-24 text-right text-xs">{tokens(sum)}</span>
                      </span>
                    </td>
                    <td className="py-1 text-right text-xs">{money(sum)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <p className="text-xs text-muted-foreground">{t("usage.legend")}</p>
          </>
        ) : null}
      </section>
      <Budgets />
    </div>
  );
}

import { useTranslation } from "react-i18next";
import { count, dollars } from "@/lib/quantity";
import type { Group, Sum } from "./queries";

/** What a sum cost, as certain as it is. */
export function useMoney() {
  const { t, i18n } = useTranslation();
  return (sum: Sum) =>
    sum.cost_usd === null
      ? t("usage.noPrice")
      : `${sum.cost_is_partial ? "≥ " : ""}${dollars(sum.cost_usd, i18n.language)}`;
}

type TableProps = { group: Group; sums: readonly Sum[] };

/** The sums in figures, each with a bar against the largest. */
export function UsageTable({ group, sums }: TableProps) {
  const { t, i18n } = useTranslation();
  const money = useMoney();
  const most = Math.max(1, ...sums.map(({ total_tokens }) => total_tokens));
  const tokens = (sum: Sum) => `${sum.tokens_estimated ? "≈ " : ""}${count(sum.total_tokens, i18n.language)}`;
  return (
    <table className="w-full table-fixed text-left tabular-nums">
      <caption className="sr-only">{t("usage.heading")}</caption>
      <thead className="text-xs text-muted-foreground">
        <tr className="border-b">
          <th scope="col" className="py-1 pr-3 font-medium">
            {t(`usage.groups.${group}`)}
          </th>
          <th scope="col" className="w-2/5 py-1 pr-3 font-medium">
            {t("usage.tokens")}
          </th>
          <th scope="col" className="w-28 py-1 text-right font-medium">
            {t("usage.cost")}
          </th>
        </tr>
      </thead>
      <tbody>
        {sums.map((sum) => (
          <tr key={sum.key} className="border-b last:border-b-0">
            <th scope="row" className="truncate py-1 pr-3 font-normal" title={sum.key}>
              <Named group={group} sum={sum} />
            </th>
            <td className="py-1 pr-3">
              <span className="flex items-center gap-2">
                <span aria-hidden className="flex h-3 flex-1">
                  <span
                    className="h-full rounded-l-sm bg-accent"
                    style={{ width: `${(sum.prompt_tokens / most) * 100}%` }}
                  />
                  <span
                    className="h-full rounded-r-sm border border-l-0 border-accent bg-accent-soft"
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
  );
}

/** What people call a thing, and whose it is. */
function Named({ group, sum }: { group: Group; sum: Sum }) {
  const { t, i18n } = useTranslation();
  switch (group) {
    case "day":
      return new Date(`${sum.key}T12:00:00`).toLocaleDateString(i18n.language, {
        weekday: "short",
        day: "numeric",
        month: "short",
      });
    case "kind":
      return t(`usage.kinds.${sum.key}`, { defaultValue: sum.key });
    case "conversation":
      return (
        <Whose
          name={sum.name ?? t(sum.agent_name ? "runs.mainConversation" : "usage.gone")}
          owner={sum.agent_name}
        />
      );
    case "message":
      return <Whose name={sum.name ?? t("usage.noMessage")} owner={sum.agent_name} />;
    case "agent":
      return sum.name ?? t(sum.key === "" ? "usage.noAgent" : "usage.gone");
    case "model":
      return sum.key;
  }
}

function Whose({ name, owner }: { name: string; owner: string | undefined }) {
  return (
    <>
      {name}
      {owner ? <span className="text-xs text-muted-foreground"> · {owner}</span> : null}
    </>
  );
}

import { useTranslation } from "react-i18next";
import type { TrialEstimate } from "@/api/score-cards";
import { count, dollars } from "@/lib/quantity";

/** What a trial would take, before anybody asks for it. */
export function TrialPrice({ estimate }: { estimate: TrialEstimate }) {
  const { t, i18n } = useTranslation();
  const tokens = count(estimate.prompt_tokens + estimate.completion_tokens, i18n.language);
  const { calls, cost_usd, cost_at_most_usd } = estimate;
  const words = estimate.is_local
    ? t("models.trialLocal", { calls, tokens })
    : cost_usd === null
      ? t("models.trialNoPrice", { calls, tokens })
      : t("models.trialCosts", {
          calls,
          tokens,
          cost: dollars(cost_usd, i18n.language),
          most: dollars(cost_at_most_usd ?? cost_usd, i18n.language),
        });
  return <p className="text-xs text-muted-foreground">{words}</p>;
}

import { useTranslation } from "react-i18next";
import type { Model } from "@/api/types";
import { cn } from "@/lib/cn";
import { callsNoTools, capabilitiesOf, handleOf, isRehearsal, priceOf, windowOf } from "@/lib/model-name";
import { count, dollars } from "@/lib/quantity";

/** What is known of a model, in words: what it can do, how much it reads, what it costs. */
export function ModelFacts({ model, className }: { model: Model; className?: string }) {
  const { t, i18n } = useTranslation();
  const window = windowOf(model);
  const price = priceOf(model);
  const facts = isRehearsal(handleOf(model))
    ? [t("models.noAi")]
    : [
        ...(callsNoTools(model) ? [t("models.noTools")] : []),
        ...capabilitiesOf(model).map((name) => t(`models.capabilities.${name}`)),
        ...(window === null ? [] : [t("models.contextTokens", { tokens: count(window, i18n.language) })]),
        ...(price === null
          ? []
          : [
              t("models.price", {
                input: dollars(price.input, i18n.language),
                output: dollars(price.output, i18n.language),
              }),
            ]),
      ];
  return (
    <span className={cn("truncate text-xs text-muted-foreground tabular-nums", className)}>
      {facts.join(" · ")}
    </span>
  );
}

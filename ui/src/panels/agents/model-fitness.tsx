import { useTranslation } from "react-i18next";
import { useScoreCards, useTrial, useTrialEstimate } from "@/api/score-cards";
import { useIsLocal } from "@/api/use-local";
import { CardSummary, CheckList } from "@/components/agent/score-card";
import { TrialPrice } from "@/components/agent/trial-price";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { isRehearsal } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";

/**
 * Beside the choice of a model: whether it does what an agent needs, and an offer to find out. It never stands in the
 * way, and nothing is tried unasked.
 */
export function ModelFitness({ model }: { model: string }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const isLocal = useIsLocal();
  const shown = isLocal && model !== "" && !isRehearsal(model);
  const { data: cards } = useScoreCards(shown);
  const card = cards?.find((each) => each.model === model);
  const running = card?.status === "running";
  const isKnown = card?.is_current === true;
  const { data: estimate } = useTrialEstimate(model, shown && cards !== undefined && !running && !isKnown);
  const { start, cancel } = useTrial(model);
  const error = start.error ?? cancel.error;
  if (!shown || !cards) return null;
  const lacking =
    isKnown || running
      ? (card?.checks ?? []).filter(({ verdict, needed }) => verdict === "fail" && needed)
      : [];
  return (
    <section
      aria-label={t("models.fitness")}
      className="-mt-2 flex flex-col gap-1.5 rounded-md border border-dashed px-2.5 py-2 text-xs"
    >
      <div className="flex items-center gap-2" role="status">
        {card && (isKnown || running) ? (
          <CardSummary card={card} />
        ) : (
          <p className="min-w-0 flex-1 text-muted-foreground">
            {t(card ? "models.triedElsewhere" : "models.notTriedYet")}
          </p>
        )}
        {running ? (
          <Button size="sm" disabled={cancel.isPending} onClick={() => cancel.mutate(card.id)}>
            <Spinner />
            {t("models.stopTrying")}
          </Button>
        ) : (
          <Button size="sm" disabled={start.isPending} onClick={() => start.mutate()}>
            {t(isKnown ? "models.tryAgain" : "models.tryOut")}
          </Button>
        )}
      </div>
      {estimate && !running && !isKnown ? <TrialPrice estimate={estimate} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      <CheckList checks={lacking} label={t("models.lacking")} />
    </section>
  );
}

import { useTranslation } from "react-i18next";
import { type ScoreCard, useTrial, useTrialEstimate } from "@/api/score-cards";
import { CardSummary, CheckList } from "@/components/agent/score-card";
import { TrialPrice } from "@/components/agent/trial-price";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";

type CardProps = { model: string; card: ScoreCard | undefined };

/** Whether a model can be an agent, tried out with real calls when asked. */
export function ScoreCardView({ model, card }: CardProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { start, cancel } = useTrial(model);
  const error = start.error ?? cancel.error;
  const running = card?.status === "running";
  const { data: estimate } = useTrialEstimate(model, !running);
  return (
    <div className="flex flex-col gap-2 bg-muted/50 px-3 py-2">
      <div className="flex flex-wrap items-center gap-2 text-xs">
        {card ? (
          <CardSummary card={card} />
        ) : (
          <p className="min-w-0 flex-1 text-muted-foreground">{t("models.notTried")}</p>
        )}
        {running ? (
          <Button size="sm" disabled={cancel.isPending} onClick={() => cancel.mutate(card.id)}>
            <Spinner />
            {t("models.stopTrying")}
          </Button>
        ) : (
          <Button size="sm" disabled={start.isPending} onClick={() => start.mutate()}>
            {t("models.tryOut")}
          </Button>
        )}
      </div>
      {running || !estimate ? null : <TrialPrice estimate={estimate} />}
      {error ? <Problem {...failure.of(error)} /> : null}
      {card ? <CheckList checks={card.checks} label={t("models.checksOf", { model })} /> : null}
    </div>
  );
}

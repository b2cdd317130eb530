import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useScoreCards } from "@/api/score-cards";
import type { Model } from "@/api/types";
import { ModelFacts } from "@/components/agent/model-facts";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { foundModels, handleOf, priceSource } from "@/lib/model-name";
import { useFailure } from "@/lib/use-failure";
import { useModels } from "./queries";
import { ScoreCardView } from "./score-card";

/** So many can be looked through at a glance. */
const FEW = 5;

/** Every model that can be reached, with what is known of each. */
export function Catalogue() {
  const { t } = useTranslation();
  const failure = useFailure();
  const { data, error, isPending, isFetching, refetch } = useModels();
  const { data: cards } = useScoreCards();
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState<string | null>(null);
  const found = foundModels(data ?? [], search);
  return (
    <section aria-labelledby="reachable-heading" className="flex flex-col gap-2">
      <header className="flex items-center justify-between">
        <h2 id="reachable-heading" className="font-semibold">
          {t("models.reachable")}
        </h2>
        <Button size="sm" disabled={isFetching} onClick={() => refetch()}>
          {isFetching ? <Spinner /> : null}
          {t("models.lookAgain")}
        </Button>
      </header>
      {error ? <Problem {...failure.of(error)} /> : null}
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {data?.length === 0 ? <p className="text-muted-foreground">{t("models.noneReachable")}</p> : null}
      {data && data.length > FEW ? (
        <Input
          type="search"
          aria-label={t("models.search")}
          placeholder={t("models.search")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      ) : null}
      {data && data.length > 0 && found.length === 0 ? (
        <p role="status" className="text-muted-foreground">
          {t("models.noneFound")}
        </p>
      ) : null}
      {found.length > 0 ? (
        // A catalogue of several hundred names scrolls in its own box; each row is one line of text.
        <ul
          className="flex max-h-[28rem] flex-col overflow-y-auto rounded-md border bg-card"
          aria-label={t("models.reachable")}
        >
          {found.map((model) => {
            const handle = handleOf(model);
            const card = cards?.find((each) => each.model === handle);
            return (
              <li key={handle} className="border-b [content-visibility:auto] last:border-b-0">
                <button
                  type="button"
                  aria-expanded={open === handle}
                  className="flex w-full items-center gap-2 px-3 py-1.5 text-left text-xs hover:bg-muted"
                  onClick={() => setOpen(open === handle ? null : handle)}
                >
                  <ChevronRight
                    aria-hidden
                    className={cn("size-3 shrink-0 text-muted-foreground", open === handle && "rotate-90")}
                  />
                  <span className="min-w-0 flex-1 truncate font-mono">{handle}</span>
                  {card?.is_current && card.fits_agents !== null ? (
                    <span className={card.fits_agents ? "text-success" : "text-danger"}>
                      {t(card.fits_agents ? "models.fits" : "models.fitsNotShort")}
                    </span>
                  ) : null}
                  <ModelFacts model={model} className="max-w-[60%]" />
                </button>
                {open === handle ? (
                  <>
                    <PriceSource model={model} />
                    <ScoreCardView model={handle} card={card} />
                  </>
                ) : null}
              </li>
            );
          })}
        </ul>
      ) : null}
    </section>
  );
}

/** Where a price comes from that the provider's list does not say. */
function PriceSource({ model }: { model: Model }) {
  const { t } = useTranslation();
  const source = priceSource(model);
  if (source === null) return null;
  return (
    <p className="bg-muted/50 px-3 pt-2 text-xs text-muted-foreground">
      {t("models.priceKnown", { month: source.known })}{" "}
      <a href={source.page} target="_blank" rel="noreferrer" className="text-accent underline">
        {t("models.pricePage")}
      </a>
    </p>
  );
}

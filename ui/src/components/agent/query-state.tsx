import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { useFailure } from "@/lib/use-failure";

type QueryStateProps = {
  isPending: boolean;
  error: unknown;
  refetch: () => unknown;
};

/** What stands in the place of data that is on its way or could not be had, with the way to try again. */
export function QueryState({ isPending, error, refetch }: QueryStateProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  if (isPending) {
    return <Spinner aria-label={t("common.loading")} />;
  }
  if (error) {
    return (
      <Problem {...failure.of(error)}>
        <Button size="sm" onClick={() => refetch()}>
          {t("common.tryAgain")}
        </Button>
      </Problem>
    );
  }
  return null;
}

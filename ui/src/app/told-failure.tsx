import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { dismissFailure, useToldFailure } from "@/lib/told-failure";
import { useFailure } from "@/lib/use-failure";

/** Why the last thing could not be done that had no place of its own to say so. It stays until it is dismissed. */
export function ToldFailure() {
  const { t } = useTranslation();
  const failure = useFailure();
  const thrown = useToldFailure((told) => told.thrown);
  if (thrown === null) return null;
  return (
    <Problem className="m-2 shrink-0 animate-appear" {...failure.of(thrown)}>
      <Button size="sm" onClick={dismissFailure}>
        {t("common.dismiss")}
      </Button>
    </Problem>
  );
}

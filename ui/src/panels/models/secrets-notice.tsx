import { useTranslation } from "react-i18next";
import { useChooseSecrets } from "@/api/use-choose-secrets";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useSay } from "@/lib/say";
import { useFailure } from "@/lib/use-failure";
import { useStatus } from "./queries";

/** Where keys are kept, said aloud when that is only this session, with what one can have instead. */
export function SecretsNotice() {
  const { t } = useTranslation();
  const say = useSay();
  const failure = useFailure();
  const { data } = useStatus();
  const choose = useChooseSecrets();
  if (!data || data.secrets.available) return null;
  const { reason, choices = [] } = data.secrets;
  return (
    <div role="status" className="flex flex-col gap-2 rounded-md border border-waiting bg-waiting-soft p-3">
      {/* That it was chosen so says the same once more. */}
      <p>
        {t("models.keysNotKept")} {reason?.code === "secrets_for_now" ? null : say(reason)}
      </p>
      {choices.length > 0 ? (
        <div className="flex flex-wrap gap-2">
          {choices.map((place) => (
            <Button key={place} disabled={choose.isPending} onClick={() => choose.mutate(place)}>
              {t("models.keepKeysIn", { place: t(`settings.stores.${place}`, { defaultValue: place }) })}
            </Button>
          ))}
        </div>
      ) : null}
      {choose.error ? <Problem {...failure.of(choose.error)} /> : null}
    </div>
  );
}

import { useTranslation } from "react-i18next";
import type { CallChange } from "@/api/approvals";
import { When } from "@/components/ui/when";
import { Diff } from "./diff";

/** Why a call is asked about again: what it was, and what it has become. */
export function ApprovalChange({ change }: { change: CallChange }) {
  const { t } = useTranslation();
  const since = change.since === "shown" ? "shown" : change.decided_by === "rule" ? "rule" : "person";
  return (
    <section
      aria-label={t("approval.changed.label")}
      className="flex flex-col gap-1.5 rounded-sm border border-waiting bg-waiting-soft px-2 py-1.5"
    >
      <p>
        <strong className="font-semibold">{t(`approval.changed.since.${since}`)}</strong>{" "}
        <When date={change.at} className="text-xs text-muted-foreground" />
      </p>
      {change.parts.map(({ what, diff, added, removed }) => {
        const name = t(`approval.changed.parts.${what}`, { defaultValue: what });
        return (
          <div key={what} className="flex flex-col gap-0.5">
            <p className="text-xs">
              {name} <span className="text-muted-foreground tabular-nums">{`+${added} −${removed}`}</span>
            </p>
            <Diff label={name} text={diff} />
          </div>
        );
      })}
    </section>
  );
}

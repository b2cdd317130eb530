import { useTranslation } from "react-i18next";
import type { Rehearsal } from "@/api/approvals";
import { When } from "@/components/ui/when";
import { mainArgument } from "@/lib/arguments";
import { namedHidden } from "@/lib/visible";
import { ruleSentence } from "./rule-sentence";

/** One sentence that says what a rule remembers, and what it would have matched so far. */
export function RehearsalView({ rehearsal }: { rehearsal: Rehearsal }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-1">
      <p className="font-medium">{ruleSentence(rehearsal, t)}</p>
      <details>
        <summary className="text-xs text-muted-foreground">
          {t("approval.remember.rehearsed", { matched: rehearsal.matched, of: rehearsal.of })}
        </summary>
        <ul className="mt-1 max-h-40 overflow-y-auto text-xs">
          {rehearsal.calls.map((call) => (
            <li key={call.sequence} className="flex gap-2 py-0.5">
              <span className="font-mono font-semibold">{call.tool}</span>
              <span className="min-w-0 flex-1 truncate font-mono text-muted-foreground">
                {namedHidden(mainArgument(call.arguments))}
              </span>
              <When date={call.at} className="shrink-0 text-muted-foreground" />
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}

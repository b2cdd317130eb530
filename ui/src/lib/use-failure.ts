import { useTranslation } from "react-i18next";
import type { Fault } from "@/api/error";
import { toApiError } from "@/api/error";

/** Faults the window says once, above everything. */
const SAID_ABOVE: ReadonlySet<Fault> = new Set(["remote", "network"]);

/** An error as the parts `Problem` shows. */
export function useFailure() {
  const { t } = useTranslation();
  /** Of a failure already taken apart. */
  const from = ({ fault, message, detail }: { fault: Fault; message: string; detail: string | null }) => ({
    heading: t(`fault.${fault}`),
    message,
    detail,
    detailLabel: t("common.details"),
    quiet: SAID_ABOVE.has(fault),
  });
  return {
    /** Of something thrown. */
    of: (thrown: unknown) => from(toApiError(thrown)),
    from,
  };
}

import { useTranslation } from "react-i18next";
import type { Fault } from "@/api/error";
import { toApiError } from "@/api/error";

/** An error as the parts `Problem` shows. */
export function useFailure() {
  const { t } = useTranslation();
  return {
    /** Of something thrown. */
    of(thrown: unknown) {
      const { fault, message, detail } = toApiError(thrown);
      return { heading: t(`fault.${fault}`), message, detail, detailLabel: t("common.details") };
    },
    /** Of a failure already taken apart. */
    from({ fault, message, detail }: { fault: Fault; message: string; detail: string | null }) {
      return { heading: t(`fault.${fault}`), message, detail, detailLabel: t("common.details") };
    },
  };
}

import { useTranslation } from "react-i18next";
import type { Fault } from "@/api/error";
import { toApiError } from "@/api/error";
import type { Said } from "@/api/said";
import { say } from "@/lib/say";

/** Faults the window says once, above everything. */
const SAID_ABOVE: ReadonlySet<Fault> = new Set(["remote", "network"]);

/** A failure taken apart: an `ApiError`, or what a run left behind. */
type Failure = {
  fault: Fault;
  message: string;
  detail: string | null;
  /** Of the API: `llm_rate_limit`, … */
  code?: string | null;
  status?: number | null;
  said?: Said | null;
};

/** An error as the parts `Problem` shows. */
export function useFailure() {
  const { t, i18n } = useTranslation();
  const known = (key: string) => t(key, { defaultValue: "" }) || null;
  /** What happened, in plain words: as precisely as the API names it. */
  const heading = ({ fault, code, status }: Failure) =>
    (code && known(`fault.types.${code}`)) ||
    (fault === "request" && status && known(`fault.status.${status}`)) ||
    t(`fault.${fault}`);
  /** Loci's own sentences in the person's language; of others what they said, as a quotation. */
  const words = ({ fault, message, said }: Failure) => {
    if (fault === "network") return t("fault.noAnswer");
    const sentence = said && say(said, t, i18n.language);
    return sentence && sentence !== said.message ? sentence : t("fault.quoted", { message });
  };
  /** Of a failure already taken apart. */
  const from = (failure: Failure) => ({
    heading: heading(failure),
    message: words(failure),
    detail: failure.detail,
    detailLabel: t("common.details"),
    quiet: SAID_ABOVE.has(failure.fault),
  });
  return {
    /** Of something thrown. */
    of: (thrown: unknown) => from(toApiError(thrown)),
    from,
    /** Only what is to be said of something thrown, for a place that has no room for more. */
    words: (thrown: unknown) => words(toApiError(thrown)),
  };
}

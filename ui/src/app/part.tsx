import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { isMissingFile, reloadPage } from "@/lib/page-files";
import { useFailure } from "@/lib/use-failure";
import { ErrorBoundary } from "./error-boundary";

/** A part of the window that fails by itself, in words, and can be drawn again. */
export function Part({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const failure = useFailure();
  return (
    <ErrorBoundary
      fallback={(error, again) =>
        isMissingFile(error) ? (
          <Outdated detail={String(error)} />
        ) : (
          <Problem className="m-4" {...failure.of(error)}>
            <Button size="sm" onClick={again}>
              {t("common.tryAgain")}
            </Button>
          </Problem>
        )
      }
    >
      {children}
    </ErrorBoundary>
  );
}

/** The page is older than the Loci it belongs to. Only the person loads it anew, when they want to. */
function Outdated({ detail }: { detail: string }) {
  const { t } = useTranslation();
  const [alone, setAlone] = useState(false);
  return (
    <Problem
      className="m-4"
      heading={t("outdated.heading")}
      message={t(alone ? "fault.noAnswer" : "outdated.message")}
      detail={detail}
      detailLabel={t("common.details")}
    >
      <Button size="sm" onClick={async () => setAlone(!(await reloadPage(window)))}>
        {t("outdated.reload")}
      </Button>
    </Problem>
  );
}

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { ErrorBoundary } from "./error-boundary";

/** A part of the window that fails by itself, in words, and can be drawn again. */
export function Part({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const failure = useFailure();
  return (
    <ErrorBoundary
      fallback={(error, again) => (
        <Problem className="m-4" {...failure.of(error)}>
          <Button size="sm" onClick={again}>
            {t("common.tryAgain")}
          </Button>
        </Problem>
      )}
    >
      {children}
    </ErrorBoundary>
  );
}

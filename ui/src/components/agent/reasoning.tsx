import { ChevronRight } from "lucide-react";
import type { ComponentProps } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";

type ReasoningProps = ComponentProps<"details"> & { text: string; streaming: boolean; hidden?: boolean };

/** What the model thought before it spoke: there, but out of the way. */
export function Reasoning({ text, streaming, hidden = false, className, ...rest }: ReasoningProps) {
  const { t } = useTranslation();
  if (hidden) return <p className="text-xs text-muted-foreground">{t("reasoning.hidden")}</p>;
  return (
    <details data-testid="reasoning" className={cn("group text-muted-foreground", className)} {...rest}>
      <summary className="flex w-fit list-none items-center gap-1 rounded-sm text-xs hover:text-foreground [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-3.5 transition-transform group-open:rotate-90" />
        {t(streaming ? "reasoning.now" : "reasoning.done")}
      </summary>
      <p className="mt-1 ml-1.5 border-l pl-3 break-words whitespace-pre-wrap">{text}</p>
    </details>
  );
}

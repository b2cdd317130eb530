import { TriangleAlert } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

type ProblemProps = ComponentProps<"div"> & {
  /** In whose part it happened. */
  heading: ReactNode;
  /** What happened, in words. */
  message: ReactNode;
  /** More, one click away and selectable. */
  detail?: string | null;
  detailLabel: string;
};

/** An error that stays until it is dealt with. What one can do stands in its children. */
export function Problem({
  heading,
  message,
  detail,
  detailLabel,
  className,
  children,
  ...rest
}: ProblemProps) {
  return (
    <div
      role="alert"
      className={cn("flex gap-2.5 rounded-md border border-danger/50 bg-danger-soft p-3", className)}
      {...rest}
    >
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p className="font-semibold">{heading}</p>
        <p className="break-words whitespace-pre-wrap">{message}</p>
        {detail ? (
          <details>
            <summary className="text-xs text-muted-foreground">{detailLabel}</summary>
            <pre className="mt-1 max-h-40 overflow-auto font-mono text-xs break-all whitespace-pre-wrap">
              {detail}
            </pre>
          </details>
        ) : null}
        {children ? <div className="flex flex-wrap gap-2 pt-1">{children}</div> : null}
      </div>
    </div>
  );
}

import { CloudOff, TriangleAlert } from "lucide-react";
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
  /** It is said elsewhere as well, once for all: here it only explains why something is not there. */
  quiet?: boolean;
};

/** From this many characters on, a message may have to be scrolled. */
const LONG = 300;

/** An error that stays until it is dealt with. What one can do stands in its children. */
export function Problem({
  heading,
  message,
  detail,
  detailLabel,
  quiet = false,
  className,
  children,
  ...rest
}: ProblemProps) {
  const Sign = quiet ? CloudOff : TriangleAlert;
  return (
    <div
      role={quiet ? "status" : "alert"}
      className={cn(
        "flex gap-2.5 rounded-md border p-3",
        quiet ? "bg-card" : "border-danger/50 bg-danger-soft",
        className,
      )}
      {...rest}
    >
      <Sign
        aria-hidden
        className={cn("mt-0.5 size-4 shrink-0", quiet ? "text-muted-foreground" : "text-danger")}
      />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p className={quiet ? "font-medium" : "font-semibold"}>{heading}</p>
        {quiet ? null : <Message>{message}</Message>}
        {detail || quiet ? (
          <details>
            <summary className="text-xs text-muted-foreground">{detailLabel}</summary>
            {quiet ? <Message className="mt-1 text-xs text-muted-foreground">{message}</Message> : null}
            {detail ? (
              <pre className="mt-1 max-h-40 overflow-auto font-mono text-xs break-all whitespace-pre-wrap">
                {detail}
              </pre>
            ) : null}
          </details>
        ) : null}
        {children ? <div className="flex flex-wrap gap-2 pt-1">{children}</div> : null}
      </div>
    </div>
  );
}

/** A server's own words can be endless. */
function Message({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <p
      tabIndex={typeof children === "string" && children.length > LONG ? 0 : undefined}
      className={cn("max-h-40 overflow-y-auto break-words whitespace-pre-wrap", className)}
    >
      {children}
    </p>
  );
}

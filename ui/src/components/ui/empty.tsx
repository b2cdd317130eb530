import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

type EmptyProps = ComponentProps<"div"> & { heading: ReactNode };

/** An empty place: what it is for, and the one next step as its child. */
export function Empty({ heading, className, children, ...rest }: EmptyProps) {
  return (
    <div
      className={cn("flex flex-col items-center justify-center gap-3 p-6 text-center", className)}
      {...rest}
    >
      <p className="max-w-72 text-muted-foreground">{heading}</p>
      {children}
    </div>
  );
}

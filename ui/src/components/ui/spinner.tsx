import { LoaderCircle } from "lucide-react";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** Something is under way; the words beside it say what. */
export function Spinner({ className, ...rest }: ComponentProps<typeof LoaderCircle>) {
  return (
    <LoaderCircle
      aria-hidden
      className={cn("size-4 animate-spin text-muted-foreground", className)}
      {...rest}
    />
  );
}

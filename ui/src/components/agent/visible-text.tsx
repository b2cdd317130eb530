import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { visiblePieces } from "@/lib/visible";

type VisibleTextProps = Omit<ComponentProps<"pre">, "children"> & { text: string };

/** Text as it is: wrapped, scrollable, never cut, with invisible characters named. */
export function VisibleText({ text, className, ...rest }: VisibleTextProps) {
  return (
    <pre
      className={cn(
        "max-h-60 overflow-auto font-mono text-xs leading-5 break-words whitespace-pre-wrap",
        className,
      )}
      {...rest}
    >
      <VisibleInline text={text} />
    </pre>
  );
}

/** The same within a line of something else. */
export function VisibleInline({ text }: { text: string }) {
  return visiblePieces(text).map((piece, at) =>
    piece.hidden ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text have no other identity
      <mark key={at} className="rounded-sm bg-waiting-soft px-0.5 text-waiting-foreground">
        {piece.text}
      </mark>
    ) : (
      piece.text
    ),
  );
}

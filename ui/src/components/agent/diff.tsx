import { cn } from "@/lib/cn";
import { VisibleInline } from "./visible-text";

/** A unified diff. The sign at the start of a line says what its colour says. */
export function Diff({ label, text }: { label: string; text: string }) {
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      aria-label={label}
      className="max-h-72 overflow-auto rounded-sm border bg-background py-1 font-mono text-xs leading-5"
    >
      {text
        .replace(/\n$/, "")
        .split("\n")
        .map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text have no other identity
          <span key={at} className={cn("block px-2 break-words whitespace-pre-wrap", toneOf(line))}>
            {/* A line without characters would have no height. */}
            <VisibleInline text={line || " "} />
          </span>
        ))}
    </section>
  );
}

function toneOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return "text-muted-foreground";
  if (line.startsWith("+")) return "bg-success/10 text-success";
  if (line.startsWith("-")) return "bg-danger-soft text-danger";
  if (line.startsWith("@@")) return "text-muted-foreground";
  return "";
}

import { lazy, memo, Suspense } from "react";
import { cn } from "@/lib/cn";

export type MarkdownProps = { text: string; streaming: boolean; className?: string };

const load = () => import("./markdown-renderer").then((module) => ({ default: module.MarkdownRenderer }));
// What was said can be read without it, too.
const Renderer = lazy(() => load().catch(() => ({ default: Plain })));

/** Fetches the renderer ahead of the first message, when the window has nothing better to do. */
export function preloadMarkdown(): void {
  // Whoever needs it asks again.
  setTimeout(() => load().catch(() => {}), 200);
}

/** What an agent wrote, as it arrives. Nothing in it may load from elsewhere: remote pictures become links. */
export const Markdown = memo(function Markdown(props: MarkdownProps) {
  return (
    <Suspense fallback={<Plain {...props} />}>
      <Renderer {...props} />
    </Suspense>
  );
});

function Plain({ text, className }: MarkdownProps) {
  return <p className={cn("text-base break-words whitespace-pre-wrap", className)}>{text}</p>;
}

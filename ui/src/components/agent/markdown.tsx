import { lazy, memo, Suspense } from "react";
import { cn } from "@/lib/cn";

export type MarkdownProps = { text: string; streaming: boolean; className?: string };

const load = () => import("./markdown-renderer").then((module) => ({ default: module.MarkdownRenderer }));
const Renderer = lazy(load);

/** Fetches the renderer ahead of the first message, when the window has nothing better to do. */
export function preloadMarkdown(): void {
  setTimeout(() => void load(), 200);
}

/** What an agent wrote, as it arrives. Nothing in it may load from elsewhere: remote pictures become links. */
export const Markdown = memo(function Markdown(props: MarkdownProps) {
  const plain = (
    <p className={cn("text-base break-words whitespace-pre-wrap", props.className)}>{props.text}</p>
  );
  return (
    <Suspense fallback={plain}>
      <Renderer {...props} />
    </Suspense>
  );
});

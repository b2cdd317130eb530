// The markdown renderer, in a file of its own because it is most of the window's code and the first paint
// does not need it.
import type { ComponentProps } from "react";
import { Streamdown } from "streamdown";
import { cn } from "@/lib/cn";
import { CodeBlock } from "./code-block";
import type { MarkdownProps } from "./markdown";

// The same objects every time: with others every code block is drawn anew for each piece that arrives.
const CONTROLS = { table: false, code: false, mermaid: false };
const LINK_SAFETY = { enabled: false };
const COMPONENTS = { a: Link, img: Picture, pre: CodeBlock };

export function MarkdownRenderer({ text, streaming, className }: MarkdownProps) {
  return (
    <Streamdown
      className={cn("prose-agent text-base break-words", className)}
      // Block by block when it is finished, too: the other mode would draw all of it anew at the end.
      mode="streaming"
      parseIncompleteMarkdown={streaming}
      isAnimating={streaming}
      dir="auto"
      controls={CONTROLS}
      linkSafety={LINK_SAFETY}
      components={COMPONENTS}
    >
      {text}
    </Streamdown>
  );
}

function Link({ href, children, node: _, ...native }: ComponentProps<"a"> & { node?: unknown }) {
  return (
    <a {...native} href={href} title={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}

function Picture({ src, alt }: ComponentProps<"img"> & { node?: unknown }) {
  if (typeof src !== "string") return null;
  if (src.startsWith("data:image/"))
    return <img src={src} alt={alt ?? ""} className="max-w-full rounded-md" />;
  return <Link href={src}>{alt || src}</Link>;
}

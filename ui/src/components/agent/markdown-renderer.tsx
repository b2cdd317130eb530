// The markdown renderer, in a file of its own because it is most of the window's code and the first paint
// does not need it.
import type { ComponentProps } from "react";
import { useTranslation } from "react-i18next";
import { Streamdown } from "streamdown";
import { cn } from "@/lib/cn";
import { codeColours } from "./code-colours";
import type { MarkdownProps } from "./markdown";

const PLUGINS = { code: codeColours };

export function MarkdownRenderer({ text, streaming, className }: MarkdownProps) {
  const { t } = useTranslation();
  return (
    <Streamdown
      className={cn("prose-agent text-base break-words", className)}
      mode={streaming ? "streaming" : "static"}
      isAnimating={streaming}
      dir="auto"
      controls={{ table: false, code: { copy: true, download: false }, mermaid: false }}
      linkSafety={{ enabled: false }}
      lineNumbers={false}
      plugins={PLUGINS}
      translations={{ copyCode: t("copy.code"), copied: t("copy.copied") }}
      components={{ a: Link, img: Picture }}
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

import { ExternalLink } from "lucide-react";
import { type ComponentProps, memo } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import type { Picture } from "@/run/events";
import type { Part, Turn } from "@/run/project";
import { Markdown } from "./markdown";
import { Reasoning } from "./reasoning";
import { ToolCall } from "./tool-call";

type TurnProps = ComponentProps<"article"> & { turn: Turn };

/** One row of the conversation. */
export const TurnView = memo(function TurnView({ turn, className, ...rest }: TurnProps) {
  const { t } = useTranslation();
  switch (turn.role) {
    case "user":
      return (
        <article
          aria-label={t("message.you")}
          data-role="user"
          className={cn("flex justify-end", className)}
          {...rest}
        >
          <div className="flex max-w-[85%] flex-col gap-2 rounded-md bg-muted px-3 py-2 text-base">
            {turn.text ? <p className="break-words whitespace-pre-wrap">{turn.text}</p> : null}
            <Pictures pictures={turn.pictures} />
          </div>
        </article>
      );
    case "agent":
      return (
        <article
          aria-label={t("message.agent")}
          data-role="agent"
          className={cn("flex flex-col gap-2", className)}
          {...rest}
        >
          {turn.parts.map((part) => (
            <PartView key={part.key} part={part} />
          ))}
          {turn.failed ? <p className="text-xs text-danger">{t("message.unfinished")}</p> : null}
        </article>
      );
    case "note":
      return (
        <article aria-label={t(`message.${turn.kind}`)} data-role="note" className={className} {...rest}>
          <details className="text-xs text-muted-foreground">
            <summary>{t(`message.${turn.kind}`)}</summary>
            <p className="mt-1 border-l pl-3 break-words whitespace-pre-wrap">{turn.text}</p>
          </details>
        </article>
      );
    default:
      turn satisfies never;
      return null;
  }
});

function PartView({ part }: { part: Part }) {
  const { t } = useTranslation();
  switch (part.type) {
    case "text":
      return <Markdown text={part.text} streaming={part.streaming} />;
    case "reasoning":
      return <Reasoning text={part.text} streaming={part.streaming} hidden={part.hidden} />;
    case "tool":
      return <ToolCall tool={part} />;
    case "unknown":
      return (
        <details className="text-xs text-muted-foreground">
          <summary>{t("message.unknown", { type: part.messageType || "?" })}</summary>
          <pre className="mt-1 overflow-auto font-mono whitespace-pre-wrap">{part.raw}</pre>
        </details>
      );
    default:
      part satisfies never;
      return null;
  }
}

function Pictures({ pictures }: { pictures: Picture[] }) {
  const { t } = useTranslation();
  return pictures.map((picture, at) =>
    picture.kind === "data" ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pictures of one message never change places
      <img key={at} src={picture.src} alt={t("message.picture")} className="max-h-80 max-w-full rounded-md" />
    ) : (
      <a
        key={picture.url}
        href={picture.url}
        target="_blank"
        rel="noreferrer noopener"
        className="flex items-center gap-1 underline"
      >
        <ExternalLink aria-hidden className="size-3.5" />
        {picture.url}
      </a>
    ),
  );
}

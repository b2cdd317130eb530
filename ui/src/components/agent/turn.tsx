import { ChevronRight, ExternalLink, PenLine } from "lucide-react";
import { type ComponentProps, memo } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { cn } from "@/lib/cn";
import { moment } from "@/lib/since";
import type { Picture } from "@/run/events";
import { turnMarkdown } from "@/run/markdown";
import { isAlike, type NoteTurn, type Part, type Turn, type UserTurn } from "@/run/project";
import { Markdown } from "./markdown";
import { Reasoning } from "./reasoning";
import { ToolCall } from "./tool-call";

type TurnProps = ComponentProps<"article"> & {
  turn: Turn;
  /** The next row belongs to the same answer. */
  goesOn?: boolean;
  /** Says this message again in other words; without it, it cannot be edited. */
  onEdit?: (turn: UserTurn) => void;
  /** Why no message can be edited here. */
  editLack?: string | null;
};

/** One row of the conversation. */
export const TurnView = memo(function TurnView({
  turn,
  goesOn = false,
  onEdit,
  editLack = null,
  className,
  ...rest
}: TurnProps) {
  const { t } = useTranslation();
  switch (turn.role) {
    case "user":
      return (
        <article
          aria-label={t("message.you")}
          data-role="user"
          className={cn("group/turn relative flex flex-col items-end pb-7", className)}
          {...rest}
        >
          <div className="flex max-w-[85%] flex-col gap-2 rounded-md bg-muted px-3 py-2 text-base">
            {turn.text ? <p className="break-words whitespace-pre-wrap">{turn.text}</p> : null}
            {turn.pictures.length > 0 ? (
              <div className="flex flex-wrap gap-2">
                <Pictures pictures={turn.pictures} />
              </div>
            ) : null}
          </div>
          <TurnActions turn={turn} className="right-0">
            {onEdit && turn.id ? (
              <Button
                size="icon"
                variant="quiet"
                lack={editLack}
                aria-label={t("message.edit")}
                title={t("message.edit")}
                onClick={() => onEdit(turn)}
              >
                <PenLine aria-hidden className="size-3.5 text-muted-foreground" />
              </Button>
            ) : null}
          </TurnActions>
        </article>
      );
    case "agent": {
      const spoke = turn.parts.some((part) => part.type === "text" && !part.streaming);
      return (
        <article
          aria-label={t("message.agent")}
          data-role="agent"
          className={cn("group/turn relative flex flex-col gap-2", goesOn ? "pb-2" : "pb-7", className)}
          {...rest}
        >
          {turn.parts.map((part) => (
            <PartView key={part.key} part={part} />
          ))}
          {turn.failed ? <p className="text-xs text-danger">{t("message.unfinished")}</p> : null}
          {spoke && !goesOn ? <TurnActions turn={turn} className="-left-1.5 flex-row-reverse" /> : null}
        </article>
      );
    }
    case "note":
      return (
        <article
          aria-label={t(`message.${turn.kind}`)}
          data-role="note"
          className={cn("pb-7", className)}
          {...rest}
        >
          <Note turn={turn} />
        </article>
      );
    default:
      turn satisfies never;
      return null;
  }
}, isSameRow);

/** The rows of a running answer are made anew with each piece; only those that changed are drawn anew. */
function isSameRow({ turn: before, ...left }: TurnProps, { turn: after, ...right }: TurnProps): boolean {
  const names = Object.keys({ ...left, ...right }) as Array<keyof typeof left>;
  return names.every((name) => Object.is(left[name], right[name])) && isAlike(before, after);
}

type TurnActionsProps = ComponentProps<"div"> & { turn: Turn };

/** What can be done with a message, in the room below it: there for the keyboard always, for the eye when it is pointed at. */
function TurnActions({ turn, className, children, ...rest }: TurnActionsProps) {
  const { t, i18n } = useTranslation();
  return (
    <div
      className={cn(
        "absolute bottom-0 flex h-7 items-center gap-0.5 opacity-0 transition-opacity duration-150 group-focus-within/turn:opacity-100 group-hover/turn:opacity-100",
        className,
      )}
      {...rest}
    >
      {turn.date ? (
        <time dateTime={turn.date} className="px-1 text-xs text-muted-foreground tabular-nums">
          {moment(turn.date, i18n.language)}
        </time>
      ) : null}
      <CopyButton label={t("message.copy")} text={() => turnMarkdown(turn)} />
      {children}
    </div>
  );
}

/** What happened to the conversation itself, between two hairlines. */
function Note({ turn }: { turn: NoteTurn }) {
  const { t } = useTranslation();
  const words = turn.kind === "summary" ? t("message.summaryNote") : eventWords(t, turn.text);
  if (!turn.text || turn.kind === "event") {
    return (
      <p className="flex items-center gap-3 text-xs text-muted-foreground before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">
        {words}
      </p>
    );
  }
  return (
    <details className="text-xs text-muted-foreground">
      <summary className="flex list-none items-center gap-3 before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border hover:text-foreground [&::-webkit-details-marker]:hidden">
        <span className="flex items-center gap-1">
          <ChevronRight aria-hidden className="size-3.5" />
          {words}
        </span>
      </summary>
      <p className="mt-2 rounded-md border bg-card p-3 text-sm break-words whitespace-pre-wrap text-foreground">
        {turn.text}
      </p>
    </details>
  );
}

function eventWords(t: (key: string, values?: Record<string, string>) => string, eventType: string): string {
  return eventType === "compaction"
    ? t("message.compaction")
    : t("message.otherEvent", { type: eventType || "?" });
}

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
      <img
        // biome-ignore lint/suspicious/noArrayIndexKey: pictures of one message never change places
        key={at}
        src={picture.src}
        alt={t("message.picture")}
        className="max-h-80 max-w-full self-start rounded-md"
      />
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

import { useTranslation } from "react-i18next";
import type { CallDetail } from "@/api/approvals";
import { cn } from "@/lib/cn";
import { VisibleInline, VisibleText } from "./visible-text";

/** What a call would do, in the form that can be judged best: a change as a diff, a command with its folder. */
export function CallDetailView({ detail }: { detail: CallDetail }) {
  const { t } = useTranslation();
  switch (detail.type) {
    case "diff":
      return (
        <div className="flex flex-col gap-1">
          <p className="text-xs">
            <span className="font-mono break-all">{detail.path}</span>{" "}
            <span className="text-muted-foreground tabular-nums">
              {detail.new_file ? `${t("approval.newFile")} ` : ""}+{detail.added} −{detail.removed}
            </span>
          </p>
          <Diff text={detail.diff} />
        </div>
      );
    case "command":
      return (
        <div className="flex flex-col gap-1">
          <VisibleText
            text={detail.command}
            tabIndex={0}
            className="rounded-sm border bg-background px-2 py-1.5 font-semibold"
          />
          <p className="text-xs text-muted-foreground">
            {t("approval.inFolder")} <span className="font-mono break-all">{detail.folder}</span>
            {detail.confinement ? ` · ${detail.confinement}` : ""}
          </p>
        </div>
      );
    case "url":
      return (
        <div className="text-xs">
          {t("approval.toHost")} <strong className="font-mono">{detail.host}</strong>
          <VisibleText text={detail.url} className="mt-1" />
        </div>
      );
    case "question":
      return <p className="text-base whitespace-pre-wrap">{detail.question}</p>;
    case "text":
      return <VisibleText text={detail.text} tabIndex={0} className="rounded-sm bg-muted px-2 py-1" />;
    default:
      detail satisfies never;
      return null;
  }
}

/** A unified diff. The sign at the start of a line says what its colour says. */
function Diff({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      aria-label={t("approval.diff")}
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

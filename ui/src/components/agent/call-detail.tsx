import { useTranslation } from "react-i18next";
import type { CallDetail } from "@/api/approvals";
import { useSay } from "@/lib/say";
import { Diff } from "./diff";
import { VisibleInline, VisibleText } from "./visible-text";

/** What a call would do, in the form that can be judged best: a change as a diff, a command with its folder. */
export function CallDetailView({ detail }: { detail: CallDetail }) {
  const { t } = useTranslation();
  const say = useSay();
  switch (detail.type) {
    case "diff":
      return (
        <div className="flex flex-col gap-1">
          <p className="text-xs">
            <span className="font-mono break-all">
              <VisibleInline text={detail.path} />
            </span>{" "}
            <span className="text-muted-foreground tabular-nums">
              {detail.new_file ? `${t("approval.newFile")} ` : ""}+{detail.added} −{detail.removed}
            </span>
          </p>
          <Diff label={t("approval.diff")} text={detail.diff} />
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
            {t("approval.inFolder")}{" "}
            <span className="font-mono break-all">
              <VisibleInline text={detail.folder} />
            </span>
            {detail.confinement ? ` · ${say(detail.confinement)}` : ""}
          </p>
        </div>
      );
    case "url":
      return (
        <div className="text-xs">
          {t("approval.toHost")}{" "}
          <strong className="font-mono">
            <VisibleInline text={detail.host} />
          </strong>
          <VisibleText text={detail.url} className="mt-1" />
        </div>
      );
    case "question":
      return (
        <p className="text-base whitespace-pre-wrap">
          <VisibleInline text={detail.question} />
        </p>
      );
    case "text":
      return <VisibleText text={detail.text} tabIndex={0} className="rounded-sm bg-muted px-2 py-1" />;
    default:
      detail satisfies never;
      return null;
  }
}

// Two texts side by side with their differences marked. Loaded when first needed; import `CodeDiff` from `code.tsx`.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { type CodeLanguage, colours, languageOf } from "./code-editor";

export type CodeDiffProps = {
  before: string;
  after: string;
  beforeLabel: string;
  afterLabel: string;
  language?: CodeLanguage;
  className?: string;
  /** Makes the right side writable, with arrows that take a piece from the left; `after` is then where it starts. */
  onChange?: (text: string) => void;
};

export function CodeDiffView({
  before,
  after,
  beforeLabel,
  afterLabel,
  language = "text",
  className,
  onChange,
}: CodeDiffProps) {
  const host = useRef<HTMLDivElement>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  const writable = onChange !== undefined;
  const { t } = useTranslation();
  useEffect(() => {
    if (!host.current) return;
    const side = (label: string, readOnly: boolean) => [
      languageOf(language),
      colours,
      EditorView.lineWrapping,
      EditorState.phrases.of({ "$ unchanged lines": t("code.unchanged") }),
      EditorState.readOnly.of(readOnly),
      EditorView.contentAttributes.of({
        "aria-label": label,
        tabindex: "0",
        ...(readOnly ? { "aria-readonly": "true" } : {}),
      }),
    ];
    const made = new MergeView({
      parent: host.current,
      a: { doc: before, extensions: side(beforeLabel, true) },
      b: {
        doc: after,
        extensions: [
          ...side(afterLabel, !writable),
          ...(writable ? [history(), keymap.of([...defaultKeymap, ...historyKeymap])] : []),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current?.(update.state.doc.toString());
          }),
        ],
      },
      gutter: true,
      collapseUnchanged: { margin: 3, minSize: 6 },
      ...(writable ? { revertControls: "a-to-b" as const } : {}),
    });
    return () => made.destroy();
  }, [before, after, beforeLabel, afterLabel, language, writable, t]);

  return (
    <div className={cn("flex min-h-0 flex-col rounded-md border", className)}>
      <div className="grid grid-cols-2 border-b text-xs font-medium text-muted-foreground">
        <p className="px-2 py-1">{beforeLabel}</p>
        <p className="border-l px-2 py-1">{afterLabel}</p>
      </div>
      <div ref={host} className="code-diff min-h-0 flex-1 overflow-auto" />
    </div>
  );
}

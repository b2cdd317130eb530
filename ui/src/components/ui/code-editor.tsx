// Text and code being written: CodeMirror in our colours. Loaded when first needed; import `CodeEditor` from `code.tsx`.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, lintGutter } from "@codemirror/lint";
import { Annotation, Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { cn } from "@/lib/cn";

/** `text` is prose: it wraps, has no line numbers, and Tab leaves it. */
export type CodeLanguage = "text" | "python" | "typescript" | "json";

/** Something wrong in the text. Lines and columns count from 1; without a column the whole line is meant. */
export type CodeProblem = {
  line: number;
  column?: number | null;
  message: string;
  severity?: "error" | "warning";
};

export type CodeEditorProps = {
  label: string;
  value: string;
  language?: CodeLanguage;
  readOnly?: boolean;
  autoFocus?: boolean;
  invalid?: boolean;
  describedBy?: string;
  problems?: readonly CodeProblem[];
  className?: string;
  onChange?: (text: string) => void;
  /** Ctrl+Enter, or Cmd+Enter. */
  onSubmit?: () => void;
  /** Escape. */
  onEscape?: () => void;
};

/** A change that did not come from the person's hand. */
const Given = Annotation.define<boolean>();

const NO_PROBLEMS: readonly CodeProblem[] = [];

export function CodeEditorView({
  label,
  value,
  language = "text",
  readOnly = false,
  autoFocus = false,
  invalid = false,
  describedBy,
  problems = NO_PROBLEMS,
  className,
  onChange,
  onSubmit,
  onEscape,
}: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const handlers = useRef({ onChange, onSubmit, onEscape });
  handlers.current = { onChange, onSubmit, onEscape };
  const parts = useRef({
    language: new Compartment(),
    attributes: new Compartment(),
    problems: new Compartment(),
  });
  const start = useRef({ value, autoFocus });

  useEffect(() => {
    if (!host.current) return;
    const { language: languagePart, attributes, problems: problemPart } = parts.current;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: start.current.value,
        extensions: [
          history(),
          drawSelection(),
          Prec.high(
            keymap.of([
              { key: "Mod-Enter", run: () => call(handlers.current.onSubmit) },
              { key: "Escape", run: () => call(handlers.current.onEscape), stopPropagation: true },
            ]),
          ),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          languagePart.of([]),
          attributes.of([]),
          problemPart.of([]),
          colours,
          EditorView.updateListener.of((update) => {
            const typed = update.transactions.some((each) => each.docChanged && !each.annotation(Given));
            if (typed) handlers.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    if (start.current.autoFocus) {
      made.focus();
      made.dispatch({ selection: { anchor: made.state.doc.length } });
    }
    return () => {
      made.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.language.reconfigure(languageOf(language)) });
  }, [language]);

  useEffect(() => {
    view.current?.dispatch({
      effects: parts.current.attributes.reconfigure([
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({
          "aria-label": label,
          tabindex: "0",
          ...(invalid ? { "aria-invalid": "true" } : {}),
          ...(describedBy ? { "aria-describedby": describedBy } : {}),
          ...(readOnly ? { "aria-readonly": "true" } : {}),
        }),
      ]),
    });
  }, [label, readOnly, invalid, describedBy]);

  useEffect(() => {
    const shown =
      problems.length > 0
        ? [linter((state) => place(state.state, problems), { delay: 0 }), lintGutter()]
        : [];
    view.current?.dispatch({ effects: parts.current.problems.reconfigure(shown) });
  }, [problems]);

  useEffect(() => {
    // Not what the person has just typed: what came from elsewhere.
    const held = view.current?.state.doc.toString();
    if (view.current && held !== value) {
      view.current.dispatch({
        changes: { from: 0, to: view.current.state.doc.length, insert: value },
        annotations: Given.of(true),
      });
    }
  }, [value]);

  return (
    <div
      ref={host}
      className={cn(
        "code-editor overflow-hidden rounded-md border border-input bg-card focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-accent",
        invalid && "border-danger",
        className,
      )}
    />
  );
}

function call(handler: (() => void) | undefined): boolean {
  if (!handler) return false;
  handler();
  return true;
}

/** Token colours come from `styles.css` (`.tok-keyword`, …), so that light and dark follow the window. */
export const colours: Extension = [
  syntaxHighlighting(classHighlighter),
  EditorView.theme({
    "&": { fontSize: "0.75rem", backgroundColor: "transparent", color: "var(--foreground)" },
    "&.cm-focused": { outline: "none" },
    ".cm-content": { caretColor: "var(--foreground)" },
    ".cm-cursor": { borderLeftColor: "var(--foreground)" },
    ".cm-gutters": {
      backgroundColor: "transparent",
      color: "var(--muted-foreground)",
      borderRight: "1px solid var(--border)",
    },
    ".cm-activeLine, .cm-activeLineGutter": {
      backgroundColor: "color-mix(in oklch, var(--muted) 55%, transparent)",
    },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "var(--accent-soft)",
    },
    ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)" },
    ".cm-tooltip": {
      backgroundColor: "var(--card)",
      color: "var(--foreground)",
      border: "1px solid var(--border)",
    },
  }),
];

/** What makes a language that language; prose has its own typeface and no gutters. */
export function languageOf(language: CodeLanguage): Extension {
  switch (language) {
    case "text":
      return [EditorView.lineWrapping, EditorView.editorAttributes.of({ class: "cm-prose" })];
    case "python":
      return [python(), indentUnit.of("    "), ...CODE];
    case "typescript":
      return [javascript({ typescript: true }), indentUnit.of("  "), ...CODE];
    case "json":
      return [json(), indentUnit.of("  "), EditorView.lineWrapping, ...CODE];
    default:
      language satisfies never;
      return [];
  }
}

const CODE: Extension[] = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  bracketMatching(),
  indentOnInput(),
  // Ctrl+M (Shift+Alt+M on a Mac) gives Tab back to the window, as screen readers announce.
  keymap.of([indentWithTab]),
];

function place(state: EditorState, problems: readonly CodeProblem[]): Diagnostic[] {
  return problems.map(({ line, column, message, severity = "error" }) => {
    const at = state.doc.line(Math.min(Math.max(1, line), state.doc.lines));
    const from = column ? Math.min(at.from + column - 1, at.to) : at.from;
    // A mark of no width cannot be seen.
    const to = column ? Math.min(from + 1, Math.max(at.to, from)) : at.to;
    return { from: to > from ? from : at.from, to: to > from ? to : at.to, message, severity };
  });
}

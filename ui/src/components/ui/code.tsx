// The code editor and the diff, fetched when they are first shown: the window opens without them.
import { lazy, Suspense } from "react";
import type { CodeDiffProps } from "./code-diff-view";
import type { CodeEditorProps } from "./code-editor";
import { Spinner } from "./spinner";

export type { CodeLanguage, CodeProblem } from "./code-editor";

const Editor = lazy(() =>
  import("./code-editor").then(({ CodeEditorView }) => ({ default: CodeEditorView })),
);
const Diff = lazy(() => import("./code-diff-view").then(({ CodeDiffView }) => ({ default: CodeDiffView })));

export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Spinner className="m-2" />}>
      <Editor {...props} />
    </Suspense>
  );
}

export function CodeDiff(props: CodeDiffProps) {
  return (
    <Suspense fallback={<Spinner className="m-2" />}>
      <Diff {...props} />
    </Suspense>
  );
}

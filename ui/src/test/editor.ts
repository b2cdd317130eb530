// Writing into the code editor as a person would, and reading it: jsdom has no editing of its own.

import { EditorView } from "@codemirror/view";
import { act } from "@testing-library/react";

function viewOf(element: Element): EditorView {
  const view = EditorView.findFromDOM(element as HTMLElement);
  if (!view) throw new Error("this element is in no code editor");
  return view;
}

/** Puts `text` in place of everything. */
export function writeInto(element: Element, text: string): void {
  const view = viewOf(element);
  act(() => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }));
}

/** What is written there. */
export function textOf(element: Element): string {
  return viewOf(element).state.doc.toString();
}

/** Presses a key in it. */
export function pressIn(element: Element, key: string, modifiers: KeyboardEventInit = {}): void {
  act(() => {
    element.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...modifiers }),
    );
  });
}

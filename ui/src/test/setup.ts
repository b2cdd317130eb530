import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeAll } from "vitest";
import { initI18n } from "@/i18n";

// jsdom lays nothing out; the code editor measures its text.
Range.prototype.getClientRects = () => [] as unknown as DOMRectList;
Range.prototype.getBoundingClientRect = () => new DOMRect();
// And has no pointer capture, which menus ask for.
Element.prototype.hasPointerCapture ??= () => false;
Element.prototype.scrollIntoView ??= () => {};

// What is read out stands on the page a second time.
configure({ defaultIgnore: "script, style, [role=log] *" });

beforeAll(initI18n);
afterEach(cleanup);

// What a page without a layout lacks: nothing here ever changes its size or scrolls.
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

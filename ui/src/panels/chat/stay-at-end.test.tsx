import { renderHook } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import type { Turn } from "@/run/project";
import { useStayAtEnd } from "./stay-at-end";

const turn = (key: string, pending = false): Turn => ({
  role: "user",
  key,
  id: "",
  text: key,
  pictures: [],
  date: null,
  pending,
});

function watch() {
  const element = document.createElement("section");
  const scroll = { current: element };
  const scrollToBottom = vi.fn();
  const { rerender } = renderHook((props) => useStayAtEnd({ scroll, scrollToBottom, ...props }), {
    initialProps: { turns: [turn("a")], isAtBottom: true },
  });
  return { element, scrollToBottom, rerender };
}

it("goes back to the end when rows that arrive push the page from it", () => {
  const { scrollToBottom, rerender } = watch();
  rerender({ turns: [turn("a"), turn("b")], isAtBottom: false });
  expect(scrollToBottom).toHaveBeenCalledExactlyOnceWith("instant");
});

it.each(["wheel", "keydown", "pointerdown", "focusin"])("lets the person leave it by %s", (hand) => {
  const { element, scrollToBottom, rerender } = watch();
  element.dispatchEvent(new Event(hand));
  rerender({ turns: [turn("a"), turn("b")], isAtBottom: false });
  expect(scrollToBottom).not.toHaveBeenCalled();
});

it("shows what the person has just said, wherever they were", () => {
  const { element, scrollToBottom, rerender } = watch();
  element.dispatchEvent(new Event("wheel"));
  rerender({ turns: [turn("a")], isAtBottom: false });
  rerender({ turns: [turn("a"), turn("b", true)], isAtBottom: false });
  expect(scrollToBottom).toHaveBeenCalledExactlyOnceWith("instant");
});

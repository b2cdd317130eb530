import { render } from "@testing-library/react";
import { expect, it } from "vitest";
import { MarkdownRenderer } from "./markdown-renderer";

it("leaves what is drawn as it is when a reply ends, and shows unfinished marks as they were written", () => {
  const text = "Herons **wait**.\n\n- grey\n- white\n\nTwo **stars";
  const { container, rerender } = render(<MarkdownRenderer text={text} streaming />);
  const before = [...container.querySelectorAll("p, li, strong")];
  // While more may come, an open mark is drawn as if it were closed.
  expect(container.textContent).not.toContain("**");
  rerender(<MarkdownRenderer text={text} streaming={false} />);
  const after = new Set(container.querySelectorAll("p, li, strong"));
  const kept = before.filter((element) => after.has(element));
  expect(kept.map((element) => element.textContent)).toEqual(
    expect.arrayContaining(["Herons wait.", "grey", "white"]),
  );
  expect(container.textContent).toContain("Two **stars");
});

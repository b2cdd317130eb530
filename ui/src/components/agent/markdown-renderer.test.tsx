import { render } from "@testing-library/react";
import type { ComponentProps } from "react";
import type { Streamdown } from "streamdown";
import { expect, it, vi } from "vitest";
import { MarkdownRenderer } from "./markdown-renderer";

const told: Array<Partial<ComponentProps<typeof Streamdown>>> = [];
vi.mock("streamdown", () => ({
  Streamdown: (props: ComponentProps<typeof Streamdown>) => {
    told.push(props);
    return null;
  },
}));

it("tells the same things each time, so that blocks above the growing one are not drawn anew", () => {
  const { rerender } = render(<MarkdownRenderer text="One" streaming />);
  rerender(<MarkdownRenderer text="One more" streaming />);
  const [first, second] = [told[0], told.at(-1)];
  expect(second?.children).toBe("One more");
  for (const [name, value] of Object.entries(second ?? {}))
    if (name !== "children") expect(value, name).toBe(first?.[name as keyof typeof first]);
});

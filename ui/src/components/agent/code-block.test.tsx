import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { MarkdownRenderer } from "./markdown-renderer";

const TEXT = "Look:\n\n```python\nfor bird in birds:\n    print('a heron')\n```\n\nand `inline`.";

it("draws code in its colours, by classes alone, and copies it as it is", async () => {
  const user = userEvent.setup();
  const { container } = render(<MarkdownRenderer text={TEXT} streaming={false} />);
  await waitFor(() => expect(container.querySelector(".code-keyword")?.textContent).toBe("for"));
  expect(screen.getByText("python")).toBeInTheDocument();
  const pre = container.querySelector("pre");
  expect(pre?.textContent).toBe("for bird in birds:\n    print('a heron')");
  // The web view keeps memory of each piece that had a style of its own.
  expect(pre?.querySelectorAll("[style]")).toHaveLength(0);
  expect(screen.getByText("inline").tagName).toBe("CODE");
  const write = vi.spyOn(navigator.clipboard, "writeText");
  await user.click(screen.getByRole("button", { name: "Copy code" }));
  expect(write).toHaveBeenCalledWith("for bird in birds:\n    print('a heron')");
});

it("draws code that is still being written, and code without a language", () => {
  const { container, rerender } = render(<MarkdownRenderer text={"```\nbatlh <x>"} streaming />);
  expect(container.querySelector("pre")?.textContent).toBe("batlh <x>");
  rerender(<MarkdownRenderer text={"```\nbatlh <x>\n&amp;"} streaming />);
  expect(container.querySelector("pre")?.textContent).toBe("batlh <x>\n&amp;");
  rerender(<MarkdownRenderer text={"    indented\n"} streaming={false} />);
  expect(container.querySelector("pre")?.textContent).toBe("indented");
});

it("loses nothing of preformatted markup the model wrote itself", () => {
  const texts = [
    ["<pre>plain text</pre>", "plain text"],
    ["<pre><code>a <b>bold</b> word</code></pre>", "a bold word"],
    ["```\n```", ""],
  ] as const;
  for (const [text, shown] of texts) {
    const { container, unmount } = render(<MarkdownRenderer text={text} streaming={false} />);
    expect(container.querySelector("pre")?.textContent).toBe(shown);
    unmount();
  }
});

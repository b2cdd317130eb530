import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchPageFiles } from "@/lib/page-files";
import { Part } from "./part";

const page = vi.hoisted(() => ({ reload: vi.fn() }));
vi.mock("@/lib/page-files", async (original) => ({
  ...(await original<typeof import("@/lib/page-files")>()),
  reloadPage: page.reload,
}));

function Broken({ error }: { error: Error }): never {
  throw error;
}

/** As the bundler tells of a file that could not be had. */
function missing(): Error {
  const payload = new TypeError("Failed to fetch dynamically imported module");
  window.dispatchEvent(Object.assign(new Event("vite:preloadError"), { payload }));
  return payload;
}

let ignore = () => {};
beforeEach(() => {
  // React tells the console of what the boundary catches.
  vi.spyOn(console, "error").mockReturnValue(undefined);
  ignore = watchPageFiles(window);
});
afterEach(() => ignore());

describe("a part of the window that fails", () => {
  it("offers to load the page anew where a file of it is gone, and does so only when asked", async () => {
    page.reload.mockResolvedValue(true);
    render(
      <Part>
        <Broken error={missing()} />
      </Part>,
    );
    expect(screen.getByRole("alert")).toHaveTextContent("what you have written is kept");
    expect(page.reload).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole("button", { name: "Reload" }));
    await waitFor(() => expect(page.reload).toHaveBeenCalledOnce());
  });

  it("stays where it is while nobody answers", async () => {
    page.reload.mockResolvedValue(false);
    render(
      <Part>
        <Broken error={missing()} />
      </Part>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Reload" }));
    expect(await screen.findByText(/Loci does not answer/)).toBeVisible();
  });

  it("is drawn again where it is at fault itself", () => {
    render(
      <Part>
        <Broken error={new TypeError("x is undefined")} />
      </Part>,
    );
    expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
    expect(screen.queryByRole("button", { name: "Reload" })).toBeNull();
  });
});

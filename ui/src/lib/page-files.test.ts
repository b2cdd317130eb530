import { describe, expect, it, vi } from "vitest";
import { reloadPage } from "./page-files";

const page = (fetched: () => Promise<unknown>) => {
  const reload = vi.fn();
  return {
    reload,
    page: { fetch: fetched, location: { href: "http://127.0.0.1/", reload } } as unknown as Window,
  };
};

describe("loading the page anew", () => {
  it("happens where there is one", async () => {
    const { page: open, reload } = page(async () => new Response());
    expect(await reloadPage(open)).toBe(true);
    expect(reload).toHaveBeenCalledOnce();
  });

  it("does not leave the page for nothing", async () => {
    const { page: open, reload } = page(() => Promise.reject(new TypeError("Failed to fetch")));
    expect(await reloadPage(open)).toBe(false);
    expect(reload).not.toHaveBeenCalled();
  });
});

// Files of the page that cannot be had any more: Loci was updated, or has ended, while the page was open.
const missing = new WeakSet<Error>();

/** From now on remembers the errors by which the bundler says that a file of the page could not be had. */
export function watchPageFiles(page: Window): () => void {
  const note = ({ payload }: VitePreloadErrorEvent) => missing.add(payload);
  page.addEventListener("vite:preloadError", note);
  return () => page.removeEventListener("vite:preloadError", note);
}

export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && missing.has(error);
}

/** Loads the page anew, if there is one to be had: false while nobody answers, and then it stays as it is. */
export async function reloadPage(page: Window): Promise<boolean> {
  try {
    await page.fetch(page.location.href, { cache: "no-store" });
  } catch {
    return false;
  }
  page.location.reload();
  return true;
}

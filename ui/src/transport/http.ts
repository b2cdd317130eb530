// The transport of a browser: fetch to the origin that served this page, with the token of its link.
import type { Transport, TransportRequest, TransportResponse } from "./types";
import { TransportError } from "./types";

const TOKEN_KEY = "loci.token";
const CONNECTION = "X-Loci-Connection";

/** The parts of a window that hold a token; a parameter so that tests need no browser. */
export type TokenPlaces = {
  location: Pick<Location, "hash" | "pathname" | "search">;
  history: Pick<History, "replaceState">;
  storage: Pick<Storage, "getItem" | "setItem">;
};

/**
 * Takes `#token=…` out of the address, so that it is neither bookmarked nor shared, and keeps it for this tab.
 * Without one in the address, the tab's earlier token is used.
 */
export function takeToken({ location, history, storage }: TokenPlaces): string | null {
  const fragment = new URLSearchParams(location.hash.replace(/^#/, ""));
  const fresh = fragment.get("token");
  if (!fresh) return storage.getItem(TOKEN_KEY);
  storage.setItem(TOKEN_KEY, fresh);
  fragment.delete("token");
  const rest = fragment.toString();
  history.replaceState(null, "", `${location.pathname}${location.search}${rest ? `#${rest}` : ""}`);
  return fresh;
}

export function httpTransport(
  token: string | null,
  fetchFn: typeof fetch = (input, init) => fetch(input, init),
): Transport {
  return {
    capabilities: { pickFolder: false, files: false },
    pickFolder: async () => null,
    pickFile: async () => null,
    saveFile: async () => null,
    openDataFolder: async () => {},
    onGo: () => () => {},
    async request(request: TransportRequest): Promise<TransportResponse> {
      const headers = new Headers(request.headers?.map(([name, value]) => [name, value]));
      if (token) headers.set("Authorization", `Bearer ${token}`);
      // Over TCP the API is that machine's own, for programs; this page means the connection its person chose.
      if (!headers.has(CONNECTION)) headers.set(CONNECTION, "selected");
      let response: Response;
      try {
        response = await fetchFn(request.path, {
          method: request.method,
          headers,
          body: request.body ?? null,
          signal: request.signal ?? null,
          cache: "no-store",
          credentials: "omit",
        });
      } catch (cause) {
        if (request.signal?.aborted) throw cause;
        throw new TransportError("The Loci server did not answer.", { cause });
      }
      return { status: response.status, headers: response.headers, body: response.body ?? emptyBody() };
    },
  };
}

function emptyBody(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

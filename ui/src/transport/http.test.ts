import { describe, expect, it, vi } from "vitest";
import { httpTransport, takeToken } from "./http";
import { TransportError } from "./types";

function places(hash: string, kept: string | null = null) {
  const store = new Map<string, string>(kept === null ? [] : [["loci.token", kept]]);
  const replaceState = vi.fn();
  return {
    replaceState,
    store,
    location: { hash, pathname: "/", search: "?a=1" },
    history: { replaceState },
    storage: {
      getItem: (key: string) => store.get(key) ?? null,
      setItem: (key: string, value: string) => void store.set(key, value),
    },
  };
}

describe("takeToken", () => {
  it("takes the token out of the address and keeps it for the tab", () => {
    const given = places("#token=abc");
    expect(takeToken(given)).toBe("abc");
    expect(given.store.get("loci.token")).toBe("abc");
    expect(given.replaceState).toHaveBeenCalledWith(null, "", "/?a=1");
  });

  it("leaves the rest of the fragment", () => {
    const given = places("#token=abc&view=x");
    takeToken(given);
    expect(given.replaceState).toHaveBeenCalledWith(null, "", "/?a=1#view=x");
  });

  it("uses the tab's earlier token, and none where there never was one", () => {
    expect(takeToken(places("", "old"))).toBe("old");
    expect(takeToken(places(""))).toBeNull();
  });
});

describe("httpTransport", () => {
  it("sends method, path, headers, body and token, and hands back head and body", async () => {
    const fetchFn = vi.fn(async () => new Response("hello", { status: 201, headers: { "x-a": "b" } }));
    const answer = await httpTransport("abc", fetchFn as typeof fetch).request({
      method: "POST",
      path: "/v1/agents/",
      headers: [["Content-Type", "application/json"]],
      body: "{}",
    });
    const [path, init] = fetchFn.mock.calls[0] as unknown as [string, RequestInit];
    expect(path).toBe("/v1/agents/");
    expect(init.method).toBe("POST");
    expect(init.body).toBe("{}");
    expect(Object.fromEntries(new Headers(init.headers))).toEqual({
      authorization: "Bearer abc",
      "content-type": "application/json",
      "x-loci-connection": "selected",
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("x-a")).toBe("b");
    expect(await new Response(answer.body).text()).toBe("hello");
  });

  it("sends no authorization without a token, and gives an empty body where there is none", async () => {
    const fetchFn = vi.fn(async () => new Response(null, { status: 204 }));
    const answer = await httpTransport(null, fetchFn as typeof fetch).request({ method: "GET", path: "/x" });
    const [, init] = fetchFn.mock.calls[0] as unknown as [string, RequestInit];
    expect(new Headers(init.headers).has("authorization")).toBe(false);
    expect(await new Response(answer.body).text()).toBe("");
  });

  it("says that nothing answered, but lets an abort be an abort", async () => {
    const refuse = (async () => {
      throw new TypeError("failed to fetch");
    }) as typeof fetch;
    await expect(httpTransport(null, refuse).request({ method: "GET", path: "/x" })).rejects.toBeInstanceOf(
      TransportError,
    );
    const over = AbortSignal.abort();
    await expect(
      httpTransport(null, refuse).request({ method: "GET", path: "/x", signal: over }),
    ).rejects.not.toBeInstanceOf(TransportError);
  });
});

import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type BridgeMessage, tauriTransport } from "./tauri";
import { TransportError } from "./types";

type Sent = { request: Record<string, unknown>; send: (message: BridgeMessage) => void };

/** A bridge that records requests and lets the test speak for the Rust side. */
function bridge(onRequest: (sent: Sent) => void) {
  const cancelled: unknown[] = [];
  mockIPC((command, payload) => {
    const args = payload as { request: Record<string, unknown>; channel: { id: number }; id?: string };
    if (command === "api_cancel") cancelled.push(args.id);
    if (command !== "api_request") return;
    let index = 0;
    const internals = (
      window as unknown as { __TAURI_INTERNALS__: { runCallback(id: number, data: unknown): void } }
    ).__TAURI_INTERNALS__;
    onRequest({
      request: args.request,
      send: (message) => {
        internals.runCallback(args.channel.id, { index, message });
        index += 1;
      },
    });
  });
  return { cancelled };
}

afterEach(clearMocks);

describe("tauriTransport", () => {
  it("goes where the program was started for, then where the system leads", async () => {
    const heard: unknown[] = [];
    let tell = (_event: unknown) => {};
    mockIPC((command, payload) => {
      if (command === "first_place") return { place: "approvals" };
      if (command !== "plugin:event|listen") return;
      const { handler } = payload as { handler: number };
      const internals = (
        window as unknown as { __TAURI_INTERNALS__: { runCallback(id: number, data: unknown): void } }
      ).__TAURI_INTERNALS__;
      tell = (event) => internals.runCallback(handler, { event: "go", id: 1, payload: event });
      return 1;
    });
    const stop = tauriTransport().onGo((destination) => heard.push(destination));
    await vi.waitFor(() => expect(heard).toEqual([{ place: "approvals" }]));
    tell({ place: "settings" });
    stop();
    tell({ place: "models" });
    expect(heard).toEqual([{ place: "approvals" }, { place: "settings" }]);
  });

  it("carries a request over and the answer back in order", async () => {
    let seen: Record<string, unknown> = {};
    bridge(({ request, send }) => {
      seen = request;
      send({ type: "head", status: 200, headers: [["content-type", "text/plain"]] });
      send({ type: "chunk", data: btoa("one ") });
      send({ type: "chunk", data: btoa("two") });
      send({ type: "end" });
    });
    const answer = await tauriTransport().request({
      method: "POST",
      path: "/v1/x",
      headers: [["A", "b"]],
      body: "ü",
    });
    expect(seen).toMatchObject({ method: "POST", path: "/v1/x", headers: [["A", "b"]], body: "w7w=" });
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(await new Response(answer.body).text()).toBe("one two");
  });

  it("turns an error before the head into a rejection, and one after it into a broken body", async () => {
    bridge(({ send }) => send({ type: "error", message: "gone" }));
    await expect(tauriTransport().request({ method: "GET", path: "/x" })).rejects.toBeInstanceOf(
      TransportError,
    );
    clearMocks();
    bridge(({ send }) => {
      send({ type: "head", status: 200, headers: [] });
      send({ type: "error", message: "cut" });
    });
    const answer = await tauriTransport().request({ method: "GET", path: "/x" });
    await expect(new Response(answer.body).text()).rejects.toThrow("cut");
  });

  it("cancels in the bridge when the body is no longer read or the signal says so", async () => {
    const { cancelled } = bridge(({ send }) => send({ type: "head", status: 200, headers: [] }));
    const first = await tauriTransport().request({ method: "GET", path: "/x" });
    await first.body.cancel();
    const over = new AbortController();
    const second = await tauriTransport().request({ method: "GET", path: "/x", signal: over.signal });
    const reading = second.body.getReader().read();
    over.abort();
    await expect(reading).rejects.toBeTruthy();
    expect(cancelled).toHaveLength(2);
  });
});

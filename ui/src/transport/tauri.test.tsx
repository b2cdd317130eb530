import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { tauriTransport } from "./tauri";
import { TransportError } from "./types";

type Request = Record<string, unknown>;
type Asked = { request: Request; id: string };

const bytes = (text: string) => new TextEncoder().encode(text).buffer;

/** The beginning of an answer as the Rust side frames it. */
function begins(text: string, end: boolean): ArrayBuffer {
  const head = new TextEncoder().encode(
    JSON.stringify({ status: 200, headers: [["content-type", "text/plain"]], end }),
  );
  const frame = new Uint8Array([0, 0, 0, 0, ...head, ...new TextEncoder().encode(text)]);
  new DataView(frame.buffer).setUint32(0, head.length, true);
  return frame.buffer;
}

/** A bridge that records requests and answers with a beginning and what the test says is read then. */
function bridge(begin: (request: Request) => unknown, read: () => unknown = () => bytes("")) {
  const cancelled: string[] = [];
  mockIPC((command, payload) => {
    const { request, id } = payload as Asked;
    if (command === "api_request") return begin(request);
    if (command === "api_read") return read();
    if (command === "api_cancel") cancelled.push(id);
    return null;
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
    let seen: Request = {};
    const pieces = ["two ", "three", ""];
    bridge(
      (request) => {
        seen = request;
        return begins("one ", false);
      },
      () => bytes(pieces.shift() ?? "read beyond the end"),
    );
    const answer = await tauriTransport().request({
      method: "POST",
      path: "/v1/x",
      headers: [["A", "b"]],
      body: "ü",
    });
    expect(seen).toMatchObject({ method: "POST", path: "/v1/x", headers: [["A", "b"]], body: "ü" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(await new Response(answer.body).text()).toBe("one two three");
    expect(pieces).toEqual([]);
  });

  it("asks no more for an answer that is whole", async () => {
    for (const text of ["all", ""]) {
      const read = vi.fn();
      bridge(() => begins(text, true), read);
      const answer = await tauriTransport().request({ method: "GET", path: "/x" });
      expect(await new Response(answer.body).text()).toBe(text);
      expect(read).not.toHaveBeenCalled();
      clearMocks();
    }
  });

  it("turns an error before the head into a rejection, and one after it into a broken body", async () => {
    bridge(() => Promise.reject("gone"));
    await expect(tauriTransport().request({ method: "GET", path: "/x" })).rejects.toBeInstanceOf(
      TransportError,
    );
    clearMocks();
    bridge(
      () => begins("half", false),
      () => Promise.reject("cut"),
    );
    const answer = await tauriTransport().request({ method: "GET", path: "/x" });
    const body = answer.body.getReader();
    expect(new TextDecoder().decode((await body.read()).value)).toBe("half");
    await expect(body.read()).rejects.toThrow("cut");
  });

  it("cancels in the bridge when the body is no longer read or the signal says so", async () => {
    const never = () => new Promise(() => {});
    const { cancelled } = bridge(() => begins("", false), never);
    const first = await tauriTransport().request({ method: "GET", path: "/x" });
    await first.body.cancel();
    const over = new AbortController();
    const second = await tauriTransport().request({ method: "GET", path: "/x", signal: over.signal });
    const reading = second.body.getReader().read();
    over.abort();
    await expect(reading).rejects.toBe(over.signal.reason);
    expect(cancelled).toHaveLength(2);
    expect(cancelled[0]).not.toBe(cancelled[1]);
  });

  it("cancels a request that has not been answered, and makes none that is given up already", async () => {
    let answer = (_frame: ArrayBuffer) => {};
    const begin = vi.fn(
      () =>
        new Promise<ArrayBuffer>((resolve) => {
          answer = resolve;
        }),
    );
    const { cancelled } = bridge(begin);
    const over = new AbortController();
    const asking = tauriTransport().request({ method: "GET", path: "/x", signal: over.signal });
    over.abort();
    await expect(asking).rejects.toBe(over.signal.reason);
    expect(cancelled).toHaveLength(1);
    // It had not begun when it was cancelled.
    answer(begins("", false));
    await vi.waitFor(() => expect(cancelled).toHaveLength(2));
    await expect(tauriTransport().request({ method: "GET", path: "/x", signal: over.signal })).rejects.toBe(
      over.signal.reason,
    );
    expect(begin).toHaveBeenCalledOnce();
  });
});

// A transport whose server is the test.
import type { Transport, TransportRequest, TransportResponse } from "@/transport";

export type FakeRequest = { method: string; path: string; body: unknown };

/** A body the test writes to, piece by piece; `cut` breaks it as a lost connection does. */
export function openBody() {
  let controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (given) => {
      controller = given;
    },
  });
  return {
    body,
    write: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    cut: (error: unknown) => controller.error(error),
  };
}

export function answer(status: number, body: unknown): TransportResponse {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const open = openBody();
  open.write(text);
  open.end();
  return { status, headers: new Headers({ "content-type": "application/json" }), body: open.body };
}

export function fakeTransport(
  serve: (request: FakeRequest) => TransportResponse | Promise<TransportResponse>,
): Transport & { seen: FakeRequest[] } {
  const seen: FakeRequest[] = [];
  return {
    seen,
    capabilities: { pickFolder: false, files: false },
    pickFolder: async () => null,
    pickFile: async () => null,
    saveFile: async () => null,
    openDataFolder: async () => {},
    onGo: () => () => {},
    async request({ method, path, body }: TransportRequest) {
      const request = { method, path, body: body ? JSON.parse(body) : null };
      seen.push(request);
      return serve(request);
    },
  };
}

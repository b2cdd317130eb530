// The transport of the desktop window: the `api_request` command, whose answer is fetched piece by piece.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { uuid } from "@/lib/uuid";
import type { Destination, Transport, TransportRequest, TransportResponse } from "./types";
import { TransportError } from "./types";

/** How an answer begins; with `end`, what comes with it is all of it. */
type Head = { status: number; headers: Array<[name: string, value: string]>; end: boolean };

type Bytes = Uint8Array<ArrayBuffer>;

export function tauriTransport(): Transport {
  return {
    capabilities: { pickFolder: true, files: true },
    pickFolder: () => invoke<string | null>("pick_folder"),
    pickFile: () => invoke<string | null>("pick_file"),
    saveFile: (name) => invoke<string | null>("save_file", { name }),
    openDataFolder: () => invoke<void>("open_data_folder"),
    onGo,
    request: bridged,
  };
}

function onGo(go: (destination: Destination) => void): () => void {
  let over = false;
  const hear = (destination: Destination | null) => {
    if (!over && destination) go(destination);
  };
  const listening = listen<Destination>("go", (event) => hear(event.payload));
  // Only once somebody listens: what comes in between is neither lost nor heard twice.
  void listening.then(() => invoke<Destination | null>("first_place")).then(hear);
  return () => {
    over = true;
    void listening.then((stop) => stop());
  };
}

async function bridged(request: TransportRequest): Promise<TransportResponse> {
  const { signal } = request;
  signal?.throwIfAborted();
  const id = uuid();
  let over = false;
  let body: ReadableStreamDefaultController<Bytes> | null = null;
  const drop = () => {
    over = true;
    // The answer is no longer wanted: a failing cancel changes nothing for the person.
    void invoke("api_cancel", { id }).catch(() => {});
  };
  const asked = command("api_request", {
    request: {
      id,
      method: request.method,
      path: request.path,
      headers: request.headers ?? [],
      body: request.body ?? null,
    },
  });
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => {
      if (over) return;
      drop();
      // Before the answer begins, the cancelling can overtake what it cancels.
      if (!body) void asked.then(drop, () => {});
      reject(signal?.reason);
      body?.error(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
  const { head, rest } = unpack(await Promise.race([asked, aborted]));
  signal?.throwIfAborted();
  over = head.end;
  const stream = new ReadableStream<Bytes>({
    start(controller) {
      body = controller;
      if (rest.length > 0) controller.enqueue(rest);
      if (head.end) controller.close();
    },
    // Asked for when there is room: a page that is slow slows the server.
    async pull(controller) {
      const piece = await command("api_read", { id });
      if (over) return;
      if (piece.byteLength > 0) {
        controller.enqueue(new Uint8Array(piece));
      } else {
        over = true;
        controller.close();
      }
    },
    cancel: drop,
  });
  return { status: head.status, headers: new Headers(head.headers), body: stream };
}

async function command(name: string, values: Record<string, unknown>): Promise<ArrayBuffer> {
  try {
    return await invoke<ArrayBuffer>(name, values);
  } catch (cause) {
    throw new TransportError(String(cause), { cause });
  }
}

/** A frame is the length of its head in four bytes, low ones first, the head as JSON, and bytes of the body. */
function unpack(frame: ArrayBuffer): { head: Head; rest: Bytes } {
  const end = 4 + new DataView(frame).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, end - 4))) as Head;
  return { head, rest: new Uint8Array(frame, end) };
}

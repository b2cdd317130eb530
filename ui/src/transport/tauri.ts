// The transport of the desktop window: the `api_request` command, whose answer arrives over a channel.
import { Channel, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { uuid } from "@/lib/uuid";
import type { Destination, Transport, TransportRequest, TransportResponse } from "./types";
import { TransportError } from "./types";

/** What the bridge sends for one request, in this order: one head, chunks, then an end or an error. */
export type BridgeMessage =
  | { type: "head"; status: number; headers: Array<[name: string, value: string]> }
  | { type: "chunk"; data: string }
  | { type: "end" }
  | { type: "error"; message: string };

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

function bridged(request: TransportRequest): Promise<TransportResponse> {
  const id = uuid();
  let resolve!: (response: TransportResponse) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<TransportResponse>((onHead, onFailure) => {
    resolve = onHead;
    reject = onFailure;
  });
  let over = false;

  const cancel = () => {
    if (over) return;
    over = true;
    // The answer is no longer wanted: a failing cancel changes nothing for the person.
    void invoke("api_cancel", { id }).catch(() => {});
  };

  let body!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      body = controller;
    },
    cancel,
  });

  const fail = (error: unknown) => {
    if (over) return;
    over = true;
    reject(error);
    body.error(error);
  };

  const channel = new Channel<BridgeMessage>();
  channel.onmessage = (message) => {
    if (over) return;
    switch (message.type) {
      case "head":
        resolve({ status: message.status, headers: new Headers(message.headers), body: stream });
        break;
      case "chunk":
        body.enqueue(fromBase64(message.data));
        break;
      case "end":
        over = true;
        body.close();
        break;
      case "error":
        fail(new TransportError(message.message));
        break;
      default:
        message satisfies never;
    }
  };

  const abort = () => {
    const reason = request.signal?.reason ?? new DOMException("Aborted", "AbortError");
    cancel();
    reject(reason);
    body.error(reason);
  };
  if (request.signal?.aborted) {
    over = true;
    reject(request.signal.reason);
    return promise;
  }
  request.signal?.addEventListener("abort", () => !over && abort(), { once: true });

  invoke("api_request", {
    request: {
      id,
      method: request.method,
      path: request.path,
      headers: request.headers ?? [],
      body: request.body == null ? null : toBase64(request.body),
    },
    channel,
  }).catch((cause: unknown) => fail(new TransportError(String(cause), { cause })));

  return promise;
}

function toBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  // In slices: one call with a megabyte of arguments overflows the stack.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

function fromBase64(data: string): Uint8Array<ArrayBuffer> {
  const binary = atob(data);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

// The one way out of the window: a request to the routers of Loci, wherever they run.

/** A request for `/v1/*` or `/workbench/*`. Bodies are JSON text; nothing else is sent by this window. */
export type TransportRequest = {
  method: string;
  /** Path with query, from the root: `/v1/agents/?limit=50`. */
  path: string;
  headers?: ReadonlyArray<readonly [name: string, value: string]>;
  body?: string | null;
  /** Aborting cancels the request and, when it is already streaming, its body. It never stops a run. */
  signal?: AbortSignal;
};

/** The head of an answer and its body as it arrives. */
export type TransportResponse = {
  status: number;
  headers: Headers;
  body: ReadableStream<Uint8Array<ArrayBuffer>>;
};

/** What this window can do besides requests. Panels ask for the ability, never for the platform. */
export type Capabilities = {
  /** A native folder dialog exists. */
  pickFolder: boolean;
  /** Native dialogs for files exist, and the data folder can be shown. */
  files: boolean;
};

/** Where the system leads the window: the menu, the tray, a `loci://` link. */
export type Destination =
  | { place: "agent"; agent_id: string; conversation_id: string | null }
  | { place: "new_agent" | "approvals" | "models" | "settings" };

export interface Transport {
  readonly capabilities: Capabilities;
  /** Resolves when the head has arrived; rejects with `TransportError` when no answer came at all. */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Opens the native folder dialog; `null` when the person closed it or there is none. */
  pickFolder(): Promise<string | null>;
  /** Opens the native dialog for a file to read; `null` as above. */
  pickFile(): Promise<string | null>;
  /** Opens the native dialog for a file to write, with a name to begin with; `null` as above. */
  saveFile(name: string): Promise<string | null>;
  /** Shows the data folder in the file manager; rejects with a sentence when it cannot. */
  openDataFolder(): Promise<void>;
  /** Hears where the system leads the window, the place it was started for first. Returns how to stop. */
  onGo(go: (destination: Destination) => void): () => void;
}

/** No answer, or an answer that broke off: the network, the server program or the bridge. */
export class TransportError extends Error {
  override readonly name = "TransportError";
}

// Chooses the transport once, when the window starts.
import { isTauri } from "@tauri-apps/api/core";
import { httpTransport, takeToken } from "./http";
import { tauriTransport } from "./tauri";
import type { Transport } from "./types";

export {
  type Capabilities,
  type Destination,
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from "./types";

export function chooseTransport(): Transport {
  if (isTauri()) return tauriTransport();
  return httpTransport(
    takeToken({ location: window.location, history: window.history, storage: window.sessionStorage }),
  );
}

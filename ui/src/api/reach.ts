// Whether whoever answers for the agents on screen does answer: one place that knows, however many panels ask.
import { create } from "zustand";
import type { Transport } from "@/transport";
import { type ApiError, toApiError } from "./error";

type Reach = {
  /** The last request failed on the way; `null` since one was answered. */
  trouble: ApiError | null;
  /** When the oldest unanswered question was asked, milliseconds of the clock. */
  since: number | null;
};

export const useReach = create<Reach>()(() => ({ trouble: null, since: null }));

/** Remembers an error that says that no server was reached, and hands every error on. */
export function noted(error: ApiError): ApiError {
  if (error.fault === "remote" || error.fault === "network") useReach.setState({ trouble: error });
  return error;
}

/** Whatever was asked before belongs to another connection now. */
export function forgetTrouble(): void {
  useReach.setState({ trouble: null });
}

/** The same transport, watched. */
export function watched(transport: Transport): Transport {
  const open = new Map<symbol, number>();
  const tell = () => useReach.setState({ since: open.size > 0 ? Math.min(...open.values()) : null });
  return {
    ...transport,
    async request(request) {
      const mark = Symbol(request.path);
      // Sending may take as long as it takes; looking should not.
      if (request.method === "GET" && request.path.startsWith("/v1/")) {
        open.set(mark, Date.now());
        tell();
      }
      try {
        const answer = await transport.request(request);
        if (reached(request.path, answer.status, useReach.getState().trouble)) forgetTrouble();
        return answer;
      } catch (thrown) {
        if (!request.signal?.aborted) noted(toApiError(thrown));
        throw thrown;
      } finally {
        if (open.delete(mark)) tell();
      }
    },
  };
}

/** Whether an answer ends the trouble: Loci's own answers say nothing about a server elsewhere. */
function reached(path: string, status: number, trouble: ApiError | null): boolean {
  if (!trouble) return false;
  return trouble.fault === "network" || (path.startsWith("/v1/") && status < 500);
}

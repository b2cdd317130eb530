// Whether whoever answers for the agents on screen does answer: one place that knows, however many panels ask.
import type { Query, QueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import type { Transport } from "@/transport";
import { type ApiError, toApiError } from "./error";

type Reach = {
  /** The last request failed on the way; `null` since one was answered. */
  trouble: ApiError | null;
  /** The connection whose agents are on screen; `null` before it is known. */
  connection: string | null;
  /** When the oldest unanswered question was asked, milliseconds of the clock. */
  since: number | null;
};

export const useReach = create<Reach>()(() => ({ trouble: null, connection: null, since: null }));

/** Remembers an error that says that no server was reached, and hands every error on. */
export function noted(error: ApiError): ApiError {
  if (error.fault === "remote" || error.fault === "network") useReach.setState({ trouble: error });
  return error;
}

export function forgetTrouble(): void {
  useReach.setState({ trouble: null });
}

/** What belongs to this person, whatever server their agents are on: the first word of the queries' keys. */
const OF_THE_DESK = new Set(["settings", "status", "connections", "providers", "approvals", "rules"]);

/** Has the agents of another connection shown: none of those before may stand there as its, not even for a moment. */
export async function moveTo(connection: string, queries: QueryClient): Promise<void> {
  const before = useReach.getState().connection;
  useReach.setState({ connection });
  if (before === null || before === connection) return;
  forgetTrouble();
  const ofTheDesk = ({ queryKey }: Query) => OF_THE_DESK.has(String(queryKey[0]));
  // What waits for the server before would hold up what is asked of this one.
  await queries.cancelQueries({ predicate: (query) => !ofTheDesk(query) });
  void queries.resetQueries({ predicate: (query) => !ofTheDesk(query) });
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

// What went wrong with a request, in whose part, and what the server said: never a bare code.
import { TransportError } from "@/transport";
import { isSaid, type Said } from "./said";

/**
 * Whose part failed: this program, the model's server, a server elsewhere, the network between, or the request itself;
 * or nobody's, when a budget forbade it.
 */
export type Fault = "loci" | "model" | "remote" | "network" | "request" | "budget";

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    /** A sentence for people, from the server where it gave one. */
    message: string,
    readonly fault: Fault,
    /** HTTP status; `null` when no answer came. */
    readonly status: number | null,
    /** The server's code, for programs: `PENDING_APPROVAL`, `llm_rate_limit`, … */
    readonly code: string | null = null,
    /** More, for whoever opens the details. */
    readonly detail: string | null = null,
    /** The sentence in its parts, where Loci's own routes gave them. */
    readonly said: Said | null = null,
  ) {
    super(message);
  }
}

/** Reads any of the API's error bodies: `{detail}` as text or object, `{error: {type, message, detail}}`. */
export function errorFromBody(status: number, body: string): ApiError {
  const parsed = parseJson(body);
  const fallback = `The server answered ${status}.`;
  if (isRecord(parsed)) {
    const said = isSaid(parsed.said) ? parsed.said : null;
    if (isRecord(parsed.error)) {
      const { type, message, detail } = parsed.error;
      const code = text(type);
      return new ApiError(text(message) ?? fallback, faultOfRun(code), status, code, text(detail));
    }
    if (isRecord(parsed.detail)) {
      const code = text(parsed.detail.code);
      // The forwarder's codes; the one it answers with 400 or 413 is the request's own fault.
      const fault = status >= 500 && code?.startsWith("CONNECTION_") ? "remote" : faultOf(status);
      return new ApiError(text(parsed.detail.message) ?? fallback, fault, status, code, body, said);
    }
    const detail = text(parsed.detail) ?? text(parsed.message);
    if (detail) return new ApiError(detail, faultOf(status), status, null, null, said);
  }
  return new ApiError(fallback, faultOf(status), status, null, body.slice(0, 2000) || null);
}

/** Whose part it was that a run failed, by the API's `error_type`. */
export function faultOfRun(errorType: string | null): Fault {
  if (errorType === "budget_exceeded") return "budget";
  return errorType?.startsWith("llm") ? "model" : "loci";
}

/** Whatever was thrown, as an `ApiError`. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof TransportError)
    return new ApiError(thrown.message, "network", null, null, thrown.message);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError(message, "loci", null, null, thrown instanceof Error ? (thrown.stack ?? null) : null);
}

function faultOf(status: number): Fault {
  return status >= 500 ? "loci" : "request";
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.length > 0 ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

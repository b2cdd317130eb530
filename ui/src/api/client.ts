// The window's client: typed calls to /v1 from the generated types, and to /workbench from `workbench.ts`.
import createClient, { type Client } from "openapi-fetch";
import type { Transport, TransportResponse } from "@/transport";
import { ApiError, errorFromBody, toApiError } from "./error";
import type { paths } from "./generated/schema";
import { noted, watched } from "./reach";

/** Only a base for building URLs: the transport sends the path alone. */
const BASE = "http://loci.invalid";

export type Api = {
  transport: Transport;
  v1: Client<paths>;
  /** A JSON call outside the published document. Throws `ApiError`. */
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** A call whose answer is a stream. Throws `ApiError` unless the answer is 2xx. */
  stream(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<TransportResponse>;
};

export function createApi(given: Transport): Api {
  const transport = watched(given);
  const v1 = createClient<paths>({ baseUrl: BASE, fetch: (request) => viaTransport(transport, request) });

  const stream: Api["stream"] = async (method, path, body, signal) => {
    const response = await transport
      .request({
        method,
        path,
        headers: [
          ["Accept", "text/event-stream"],
          ...(body === undefined ? [] : ([["Content-Type", "application/json"]] as const)),
        ],
        body: body === undefined ? null : JSON.stringify(body),
        ...(signal ? { signal } : {}),
      })
      .catch((cause: unknown) => {
        if (signal?.aborted) throw cause;
        throw toApiError(cause);
      });
    if (response.status >= 200 && response.status < 300) return response;
    throw noted(errorFromBody(response.status, await new Response(response.body).text()));
  };

  return {
    transport,
    v1,
    stream,
    async json<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await transport
        .request({
          method,
          path,
          headers: body === undefined ? [] : [["Content-Type", "application/json"]],
          body: body === undefined ? null : JSON.stringify(body),
        })
        .catch((cause: unknown) => {
          throw toApiError(cause);
        });
      const text = await new Response(response.body).text();
      if (response.status < 200 || response.status >= 300) throw noted(errorFromBody(response.status, text));
      return (text ? JSON.parse(text) : null) as T;
    },
  };
}

/** The data of a typed call, or an `ApiError`. */
export async function unwrap<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw toApiError(cause);
  });
  if (!response.ok) {
    throw noted(
      errorFromBody(response.status, typeof error === "string" ? error : JSON.stringify(error ?? null)),
    );
  }
  if (data === undefined && response.status !== 204) {
    throw new ApiError("The server's answer could not be read.", "loci", response.status);
  }
  return data as T;
}

async function viaTransport(transport: Transport, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = request.body === null && request.method === "GET" ? null : await request.text();
  const answer = await transport.request({
    method: request.method,
    path: pathname + search,
    headers: [...request.headers],
    body: body || null,
    signal: request.signal,
  });
  const bodiless = answer.status === 204 || answer.status === 205 || answer.status === 304;
  return new Response(bodiless ? null : answer.body, { status: answer.status, headers: answer.headers });
}

// A panel on a page of its own, over a server that is the test.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { createApi } from "@/api/client";
import { ApiProvider } from "@/api/context";
import type { TransportResponse } from "@/transport";
import { answer, type FakeRequest, fakeTransport } from "./fake-transport";

/** Answers by "METHOD /path" without query; what is a function is asked with the request. */
export type Routes = Record<string, unknown | ((request: FakeRequest) => unknown)>;

/** In place of an answer: a status and the API's `detail`. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly detail: unknown,
  ) {}
}

export const refusal = (status: number, detail: unknown) => new Refusal(status, detail);

/** Shows `panel`; everything the server was asked is in `seen`. */
export function showPanel(panel: ReactNode, routes: Routes) {
  const transport = fakeTransport(async (request) => {
    const name = `${request.method} ${request.path.split("?")[0]}`;
    const given = name in routes ? routes[name] : refusal(404, `${name} is not served here`);
    const body: unknown = typeof given === "function" ? await given(request) : given;
    if (body instanceof Refusal) return answer(body.status, { detail: body.detail });
    return isResponse(body) ? body : answer(200, body ?? null);
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const view = render(
    <QueryClientProvider client={queries}>
      <ApiProvider api={createApi(transport)}>{panel}</ApiProvider>
    </QueryClientProvider>,
  );
  return { ...view, queries, seen: transport.seen };
}

/** A whole answer of the test's own, a stream for instance. It can be read once. */
function isResponse(body: unknown): body is TransportResponse {
  return typeof body === "object" && body !== null && "headers" in body && "body" in body;
}

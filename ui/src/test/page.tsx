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

export function refusal(status: number, detail: unknown): TransportResponse {
  return answer(status, { detail });
}

/** Shows `panel`; everything the server was asked is in `seen`. */
export function showPanel(panel: ReactNode, routes: Routes) {
  const transport = fakeTransport(async (request) => {
    const name = `${request.method} ${request.path.split("?")[0]}`;
    if (!(name in routes)) return refusal(404, `${name} is not served here`);
    const given = routes[name];
    const body: unknown = typeof given === "function" ? await given(request) : given;
    const isResponse = typeof body === "object" && body !== null && "headers" in body && "status" in body;
    return isResponse ? (body as TransportResponse) : answer(200, body ?? null);
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const view = render(
    <QueryClientProvider client={queries}>
      <ApiProvider api={createApi(transport)}>{panel}</ApiProvider>
    </QueryClientProvider>,
  );
  return { ...view, queries, seen: transport.seen };
}

import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, it } from "vitest";
import { answer, fakeTransport } from "@/test/fake-transport";
import { ApiError } from "./error";
import { moveTo, noted, useReach, watched } from "./reach";

beforeEach(() => useReach.setState({ trouble: null, connection: null, since: null }));

it("another connection shows nothing of the one before, and keeps what belongs to the person", async () => {
  const queries = new QueryClient();
  const fill = () => {
    queries.setQueryData(["agents"], ["Mercury"]);
    queries.setQueryData(["agent", "agent-1", "blocks"], []);
    queries.setQueryData(["settings"], { theme: "dark" });
  };
  fill();
  await moveTo("local", queries);
  expect(queries.getQueryData(["agents"])).toEqual(["Mercury"]);
  noted(new ApiError("Gone.", "remote", 504));
  await moveTo("connection-1", queries);
  expect(queries.getQueryData(["agents"])).toBeUndefined();
  expect(queries.getQueryData(["agent", "agent-1", "blocks"])).toBeUndefined();
  expect(queries.getQueryData(["settings"])).toEqual({ theme: "dark" });
  expect(useReach.getState().trouble).toBeNull();
  fill();
  await moveTo("connection-1", queries);
  expect(queries.getQueryData(["agents"])).toEqual(["Mercury"]);
});

it.each([
  ["remote", "/v1/agents/", 200, true],
  ["remote", "/v1/agents/", 404, true],
  ["remote", "/v1/agents/", 504, false],
  // Loci's own answers say nothing about a server elsewhere.
  ["remote", "/workbench/settings", 200, false],
  ["network", "/workbench/settings", 200, true],
] as const)("trouble with the %s ends by an answer to %s with %i: %s", async (fault, path, status, ends) => {
  noted(new ApiError("Gone.", fault, null));
  await watched(fakeTransport(() => answer(status, {}))).request({ method: "GET", path });
  expect(useReach.getState().trouble === null).toBe(ends);
});

it("knows since when the oldest question waits, and does not count sending", async () => {
  const open: (() => void)[] = [];
  const transport = watched(
    fakeTransport(() => new Promise((resolve) => open.push(() => resolve(answer(200, {}))))),
  );
  const sent = transport.request({ method: "POST", path: "/v1/agents/a/messages" });
  expect(useReach.getState().since).toBeNull();
  const asked = transport.request({ method: "GET", path: "/v1/agents/" });
  expect(useReach.getState().since).not.toBeNull();
  for (const end of open) end();
  await Promise.all([sent, asked]);
  expect(useReach.getState().since).toBeNull();
});

import { describe, expect, it } from "vitest";
import { TransportError } from "@/transport";
import { errorFromBody, toApiError } from "./error";

describe("errorFromBody", () => {
  it.each([
    [404, '{"detail":"Agent with ID agent-1 not found"}', "request", "Agent with ID agent-1 not found", null],
    [
      409,
      '{"detail":{"code":"PENDING_APPROVAL","message":"waiting for approval"}}',
      "request",
      "waiting for approval",
      "PENDING_APPROVAL",
    ],
    [
      429,
      '{"error":{"type":"llm_rate_limit","message":"Slow down.","detail":"x"}}',
      "model",
      "Slow down.",
      "llm_rate_limit",
    ],
    [
      502,
      '{"detail":{"code":"CONNECTION_UNREACHABLE","message":"Elsewhere cannot be reached."}}',
      "remote",
      "Elsewhere cannot be reached.",
      "CONNECTION_UNREACHABLE",
    ],
    [500, '{"detail":"An unknown error occurred"}', "loci", "An unknown error occurred", null],
    [502, "<html>bad gateway</html>", "loci", "The server answered 502.", null],
    [422, "", "request", "The server answered 422.", null],
    [400, "[1,2]", "request", "The server answered 400.", null],
  ] as const)("reads %i %s", (status, body, fault, message, code) => {
    const error = errorFromBody(status, body);
    expect([error.fault, error.message, error.code]).toEqual([fault, message, code]);
  });
});

describe("toApiError", () => {
  it("knows a missing answer from a fault of the window", () => {
    expect(toApiError(new TransportError("gone"))).toMatchObject({ fault: "network", status: null });
    expect(toApiError(new Error("x"))).toMatchObject({ fault: "loci", message: "x" });
    expect(toApiError("text").message).toBe("text");
  });
});

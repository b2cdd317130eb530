import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import type { Agent } from "@/api/types";
import { refusal, showPanel } from "@/test/page";
import { ModelNotice, troubles } from "./model-notice";

const check = (name: string, verdict: string, more: object = {}) => ({
  name,
  verdict,
  finding: null,
  advice: null,
  detail: `${name} seen`,
  remedy: `${name} remedy`,
  needed: true,
  evidence: {},
  ...more,
});
const CARD = {
  id: "card-7",
  model: "ollama/small",
  status: "finished",
  started_at: "2026-01-01T10:00:00Z",
  total: 11,
  checks: [
    check("plain_reply", "pass"),
    check("tool_call", "fail", { finding: "writes_call_as_text", advice: "read_calls" }),
    check("image", "fail", { needed: false }),
    check("context_length", "warn"),
  ],
  fits_agents: false,
  is_current: true,
  effective_context_tokens: 8192,
  tokens_per_second: 40,
} as never;
const agent = (window: number) =>
  ({ id: "agent-1", model: "ollama/small", llm_config: { context_window: window } }) as unknown as Agent;
const STATUS = { version: "0", transport: "http", secrets: { available: true, store: "keyring" } };

it("counts only what this agent needs, of a trial that still holds", () => {
  const names = (window: number, card: object = CARD) =>
    troubles(card as never, window).map(({ name }) => name);
  expect(names(32_768)).toEqual(["tool_call", "context_length"]);
  expect(names(8_000)).toEqual(["tool_call"]);
  expect(names(32_768, { ...(CARD as object), is_current: false })).toEqual([]);
  expect(troubles(undefined, 1)).toEqual([]);
});

it("says what is wrong with the remedy, mends it in one step, and can be put away", async () => {
  const onSettings = vi.fn();
  const { seen } = showPanel(<ModelNotice agent={agent(32_768)} onSettings={onSettings} />, {
    "GET /workbench/status": STATUS,
    "GET /workbench/preflight": [CARD],
    "PATCH /v1/agents/agent-1": { id: "agent-1" },
  });
  expect(await screen.findByRole("status")).toHaveTextContent(
    "ollama/small does not do everything an agent needs.",
  );
  expect(screen.getByText(/wrote the call into its text/)).toBeVisible();
  expect(screen.getByText(/For llama-server use --jinja/)).toBeVisible();
  expect(screen.queryByText(/image seen/)).toBeNull();
  expect(seen.every(({ method }) => method === "GET")).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Limit the context to 8,192 tokens" }));
  await waitFor(() =>
    expect(seen.find(({ method }) => method === "PATCH")?.body).toEqual({ context_window_limit: 8192 }),
  );
  await userEvent.click(screen.getByRole("button", { name: "Choose another model" }));
  expect(onSettings).toHaveBeenCalledOnce();
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByRole("region")).toBeNull();
});

it("says why a step could not be taken", async () => {
  showPanel(<ModelNotice agent={agent(32_768)} onSettings={() => {}} />, {
    "GET /workbench/status": STATUS,
    "GET /workbench/preflight": [{ ...(CARD as object), id: "card-8" }],
    "PATCH /v1/agents/agent-1": refusal(422, "Too small."),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Limit the context to 8,192 tokens" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Too small.");
});

import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { textOf } from "@/test/editor";
import { showPanel } from "@/test/page";
import { RunsPanel } from "./runs-panel";

const run = (id: string, extra: object) => ({
  id,
  agent_id: "agent-1",
  conversation_id: null,
  created_at: "2026-01-01T10:00:00Z",
  status: "completed",
  stop_reason: "end_turn",
  metadata: null,
  total_duration_ns: 2_400_000_000,
  ttft_ns: 350_000_000,
  ...extra,
});

const ROUTES = {
  "GET /v1/runs/": [
    run("run-2", {
      status: "failed",
      stop_reason: "llm_api_error",
      metadata: { error: { message: "The model's server refused the key.", detail: "401" } },
    }),
    run("run-1", { conversation_id: "conv-1" }),
  ],
  "GET /v1/runs/run-1/steps": [
    {
      id: "step-1",
      model_handle: "openai/gpt-4.1",
      prompt_tokens: 1200,
      completion_tokens: 34,
      cached_input_tokens: 0,
      tags: [],
      messages: [],
    },
  ],
  "GET /v1/runs/run-2/steps": [],
  "GET /workbench/status": {
    version: "0",
    transport: "http",
    secrets: { available: true, store: "keyring" },
  },
  "GET /workbench/usage": {
    total: { key: "", cost_usd: 0.25, cost_is_partial: true },
    groups: [{ key: "step-1", cost_usd: 0.125, cost_is_partial: false }],
  },
  "GET /v1/steps/step-1/metrics": {
    llm_request_ns: 900_000_000,
    tool_execution_ns: null,
    step_ns: 1_000_000_000,
    loci_tool_calls: [
      { tool_call_id: "call-1", name: "double", state: "success", confinement: "no network" },
      { tool_call_id: "call-2", name: "send", state: "unknown", confinement: null },
    ],
  },
  "GET /v1/steps/step-1/trace": { request_json: { model: "gpt-4.1" }, response_json: { id: "answer" } },
};

describe("the runs panel", () => {
  it("says how each run ended and how long it took", async () => {
    showPanel(<RunsPanel agentId="agent-1" />, ROUTES);
    const rows = await screen.findAllByRole("listitem");
    expect(rows[0]).toHaveTextContent("The model's server failed");
    expect(rows[1]).toHaveTextContent("Finished");
    expect(rows[1]).toHaveTextContent("2.4 s");
    expect(rows[1]).toHaveTextContent("first token after 350 ms");
    expect(rows[1]).toHaveTextContent("in another conversation");
  });

  it("says in words what failed", async () => {
    showPanel(<RunsPanel agentId="agent-1" />, ROUTES);
    await userEvent.click(await screen.findByRole("button", { name: /The model's server failed/ }));
    expect(await screen.findByText("The model's server refused the key.")).toBeVisible();
    expect(await screen.findByText("It ended before the first step.")).toBeVisible();
  });

  it("opens a step down to its raw bodies", async () => {
    showPanel(<RunsPanel agentId="agent-1" />, ROUTES);
    await userEvent.click(await screen.findByRole("button", { name: /Finished/ }));
    const step = await screen.findByRole("region", { name: "Step 1" });
    expect(step).toHaveTextContent("openai/gpt-4.1");
    expect(step).toHaveTextContent("1,200");
    expect(await within(step).findByText("900 ms")).toBeVisible();
    expect(await within(step).findByText("$0.13")).toBeVisible();
    expect(screen.getByText("This run: ≥ $0.25 at list prices")).toBeVisible();
    const calls = within(within(step).getByRole("list", { name: /ran code/ })).getAllByRole("listitem");
    expect(calls[0]).toHaveTextContent("double done · no network");
    expect(calls[1]).toHaveTextContent("send was cut off; nobody knows how far it came");
    await userEvent.click(within(step).getByRole("button", { name: "Raw" }));
    const sent = await screen.findByRole("textbox", { name: "Sent to the model" }, { timeout: 10_000 });
    expect(JSON.parse(textOf(sent))).toEqual({ model: "gpt-4.1" });
    expect(sent).toHaveAttribute("aria-readonly", "true");
  });

  it("says when nothing ran yet", async () => {
    showPanel(<RunsPanel agentId="agent-1" />, { "GET /v1/runs/": [] });
    expect(await screen.findByText(/Nothing has run yet/)).toBeVisible();
  });
});

import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { refusal, showPanel } from "@/test/page";
import { ContextPanel } from "./context-panel";

const WINDOW = {
  context_window_size_max: 1000,
  context_window_size_current: 60,
  system_prompt: "You remember.",
  num_tokens_system: 40,
  core_memory: "",
  num_tokens_core_memory: 0,
  external_memory_summary: "",
  num_tokens_external_memory_summary: 0,
  functions_definitions: [],
  num_tokens_functions_definitions: 0,
  num_tokens_summary_memory: 0,
  num_tokens_tool_usage_rules: 0,
  num_tokens_messages: 10,
  messages: [{ id: "m1", role: "user", content: [{ type: "text", text: "Hello there" }] }],
};

describe("the context panel", () => {
  it("says how much is used, by estimate and as last counted, and opens a part from the bar", async () => {
    showPanel(<ContextPanel agentId="agent-1" />, {
      "GET /v1/agents/agent-1/context": WINDOW,
      "GET /v1/steps/": [{ prompt_tokens: null }, { prompt_tokens: 123 }],
      "GET /workbench/client-tools": { tools: [], folder: null },
    });
    expect(await screen.findByText("≈ 50 of 1,000 tokens")).toBeVisible();
    expect(screen.getByText(/estimated/)).toBeVisible();
    expect(await screen.findByText(/123 tokens.*exact/)).toBeVisible();
    const bar = screen.getByRole("group", { name: "Parts of the next request" });
    await userEvent.click(within(bar).getByRole("button", { name: "Instructions: ≈ 40 tokens" }));
    expect(screen.getByText("You remember.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: /^Messages.*10/, expanded: false }));
    expect(screen.queryByText("You remember.")).toBeNull();
    expect(screen.getAllByText("Hello there")).not.toHaveLength(0);
  });

  it("says why nothing can be shown", async () => {
    showPanel(<ContextPanel agentId="agent-1" />, {
      "GET /v1/agents/agent-1/context": refusal(404, "There is no such agent."),
    });
    expect(await screen.findByText("There is no such agent.")).toBeVisible();
  });
});

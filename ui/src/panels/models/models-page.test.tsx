import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { type Routes, showPanel } from "@/test/page";
import { headersIn } from "./add-provider";
import { ModelsPage } from "./models-page";

const CARD = {
  id: "card-1",
  model: "ollama/qwen3",
  status: "finished",
  started_at: "2026-01-01T10:00:00Z",
  total: 11,
  checks: [
    {
      name: "tool_call",
      verdict: "fail",
      detail: "It wrote the call as text.",
      remedy: "Use a newer template.",
      needed: true,
    },
    {
      name: "context_length",
      verdict: "warn",
      finding: "beginning_cut",
      advice: "window_agent",
      detail: "the server's words",
      remedy: "the server's words",
      needed: true,
      evidence: { tried_tokens: 16384, effective_context_tokens: 8192, context_window: 128000 },
    },
  ],
  is_current: true,
  fits_agents: false,
  effective_context_tokens: 8192,
  tokens_per_second: 41.7,
};

function show(more: Routes = {}) {
  return showPanel(<ModelsPage more={[{ name: "x", label: "Other", content: "Other tab" }]} />, {
    "GET /workbench/status": {
      version: "0",
      transport: "http",
      secrets: { available: true, store: "keyring" },
    },
    "GET /workbench/providers": [
      {
        id: "found-ollama",
        name: "ollama",
        provider_type: "ollama",
        base_url: "http://127.0.0.1:11434/v1",
        has_key: false,
        category: "base",
        editable: false,
        source: "found",
        models: 1,
      },
    ],
    "GET /workbench/providers/kinds": [
      {
        provider_type: "openai",
        display_name: "OpenAI",
        base_url: "https://api.openai.com/v1",
        base_url_example: null,
        key_required: true,
        keys_page: "https://platform.openai.com/api-keys",
        is_local: false,
      },
      {
        provider_type: "openai_compatible",
        display_name: "Other server",
        base_url: null,
        base_url_example: "http://127.0.0.1:8000/v1",
        key_required: false,
        keys_page: null,
        is_local: true,
      },
    ],
    "GET /workbench/runtimes": {
      checked_at: null,
      runtimes: [
        {
          kind: "ollama",
          name: "ollama",
          title: "Ollama",
          base_url: "http://127.0.0.1:11434/v1",
          state: "running",
          version: "0.9",
          models: ["qwen3"],
          context_length: 4096,
          problem: { message: "The window is small." },
        },
        {
          kind: "lm_studio",
          name: "lmstudio",
          title: "LM Studio",
          base_url: "http://127.0.0.1:1234/v1",
          state: "absent",
          version: null,
          models: [],
          context_length: null,
          problem: null,
        },
      ],
    },
    "GET /v1/models/": [
      { handle: "ollama/qwen3", model: "qwen3", provider_type: "ollama", context_window: 4096 },
    ],
    "GET /workbench/preflight": [CARD],
    "GET /workbench/preflight/estimate": {
      is_local: false,
      calls: 14,
      prompt_tokens: 34720,
      completion_tokens: 1180,
      cost_usd: 0.08,
      cost_at_most_usd: 0.5,
    },
    ...more,
  });
}

describe("the models page", () => {
  it("shows what runs on this machine, and what is the matter with it", async () => {
    show();
    const ollama = await screen.findByRole("listitem", { name: "Ollama" });
    expect(ollama).toHaveTextContent("running");
    expect(ollama).toHaveTextContent("4,096 tokens");
    expect(ollama).toHaveTextContent("The window is small.");
    expect(screen.getByRole("listitem", { name: "LM Studio" })).toHaveTextContent("not running");
    expect(await screen.findByText(/found on this machine/)).toBeVisible();
  });

  it("adds a kind of the catalogue with its own address, after trying it", async () => {
    const { seen } = show({
      "POST /workbench/providers/try": { ok: false, said: { message: "The key was refused." }, models: [] },
      "POST /workbench/providers": { id: "provider-1" },
    });
    const form = await screen.findByRole("form", { name: "Add an endpoint" });
    expect(await within(form).findByRole("option", { name: "Other server" })).toBeInTheDocument();
    expect(within(form).getByRole("button", { name: "Add endpoint" })).toBeDisabled();
    await userEvent.type(within(form).getByLabelText("API key"), "sk-1");
    await userEvent.click(within(form).getByRole("button", { name: "Try it first" }));
    expect(await within(form).findByText(/The key was refused/)).toBeVisible();
    await userEvent.click(within(form).getByRole("button", { name: "Add endpoint" }));
    await waitFor(() =>
      expect(
        seen.find(({ method, path }) => method === "POST" && path === "/workbench/providers")?.body,
      ).toEqual({
        provider_type: "openai",
        api_key: "sk-1",
      }),
    );
  });

  it("sends headers along that were written one to a line", async () => {
    expect(headersIn("X-Team: birds\n\n authorization : Bearer a:b ")).toEqual([
      ["X-Team", "birds"],
      ["authorization", "Bearer a:b"],
    ]);
    for (const wrong of ["X-Team", ": birds", "X Team: birds", "X-Team:"])
      expect(headersIn(wrong)).toBeNull();
    const { seen } = show({ "POST /workbench/providers": { id: "provider-1" } });
    const form = await screen.findByRole("form", { name: "Add an endpoint" });
    await userEvent.type(within(form).getByLabelText("API key"), "sk-1");
    await userEvent.click(within(form).getByText("More settings"));
    await userEvent.type(within(form).getByLabelText("Extra headers"), "X-Team birds");
    expect(within(form).getByText(/Each line has to be/)).toBeVisible();
    expect(within(form).getByRole("button", { name: "Add endpoint" })).toBeDisabled();
    await userEvent.clear(within(form).getByLabelText("Extra headers"));
    await userEvent.type(within(form).getByLabelText("Extra headers"), "X-Team: birds");
    await userEvent.click(within(form).getByRole("button", { name: "Add endpoint" }));
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "POST")?.body).toEqual({
        provider_type: "openai",
        api_key: "sk-1",
        headers: { "X-Team": "birds" },
      }),
    );
  });

  it("shows a model's score card with what to do, and tries it out only when asked", async () => {
    const { seen } = show({ "POST /workbench/preflight": { ...CARD, status: "running", checks: [] } });
    await userEvent.click(await screen.findByRole("button", { name: /ollama\/qwen3/ }));
    expect(await screen.findByText("An agent cannot work with it")).toBeVisible();
    expect(screen.getByText("Use a newer template.")).toBeVisible();
    expect(screen.getByText(/reads 8,192 tokens/)).toBeVisible();
    expect(screen.getByText(/In a text of 16,384 tokens it no longer knows the beginning/)).toBeVisible();
    expect(screen.getByText("Set the agent's context window to 8,192 tokens or less.")).toBeVisible();
    expect(await screen.findByText(/14 questions with about 35,900 tokens: about \$0.08/)).toBeVisible();
    expect(seen.some(({ method }) => method === "POST")).toBe(false);
    await userEvent.click(screen.getByRole("button", { name: "Try it out" }));
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "POST")?.body).toEqual({ model: "ollama/qwen3" }),
    );
  });
});

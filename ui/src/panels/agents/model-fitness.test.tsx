import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { type Routes, showPanel } from "@/test/page";
import { ModelFitness } from "./model-fitness";

const STATUS = { version: "0", transport: "http", secrets: { available: true, store: "keyring" } };
const ESTIMATE = {
  is_local: true,
  calls: 14,
  prompt_tokens: 34_000,
  completion_tokens: 1_000,
  cost_usd: 0,
  cost_at_most_usd: 0,
};
const CARD = {
  id: "card-1",
  model: "ollama/small",
  status: "finished",
  started_at: "2026-01-01T10:00:00Z",
  total: 11,
  checks: [],
  fits_agents: true,
  is_current: true,
  effective_context_tokens: 16_384,
  tokens_per_second: 40,
};

function show(more: Routes, model = "ollama/small") {
  return showPanel(<ModelFitness model={model} />, {
    "GET /workbench/status": STATUS,
    "GET /workbench/preflight": [],
    "GET /workbench/preflight/estimate": ESTIMATE,
    ...more,
  });
}

it("offers to try an unknown model, says what that takes, and begins only when asked", async () => {
  const { seen } = show({ "POST /workbench/preflight": { ...CARD, status: "running" } });
  expect(await screen.findByText(/Not tried out yet/)).toBeVisible();
  expect(await screen.findByText(/14 questions with about 35,000 tokens.*costs nothing/)).toBeVisible();
  expect(seen.every(({ method }) => method === "GET")).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Try it out" }));
  await waitFor(() =>
    expect(seen.find(({ method }) => method === "POST")?.body).toEqual({ model: "ollama/small" }),
  );
});

it("says what a cloud model's trial costs, or that nobody knows", async () => {
  show({
    "GET /workbench/preflight/estimate": {
      ...ESTIMATE,
      is_local: false,
      cost_usd: null,
      cost_at_most_usd: null,
    },
  });
  expect(await screen.findByText(/What that costs is not known here/)).toBeVisible();
});

it("tells how a model that was tried did, and that an old trial no longer counts", async () => {
  const { unmount } = show({ "GET /workbench/preflight": [CARD] });
  expect(await screen.findByText("fits agents")).toBeVisible();
  expect(screen.queryByText(/questions/)).toBeNull();
  unmount();
  show({ "GET /workbench/preflight": [{ ...CARD, is_current: false }] });
  expect(await screen.findByText(/at another address/)).toBeVisible();
  expect(await screen.findByText(/14 questions/)).toBeVisible();
});

it("has nothing to say about the stand-in", async () => {
  const { seen, container } = show({}, "rehearsal/rehearsal");
  await waitFor(() => expect(seen.length).toBeGreaterThan(0));
  expect(container).toBeEmptyDOMElement();
});

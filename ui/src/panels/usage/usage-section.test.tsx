import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { showPanel } from "@/test/page";
import { UsageSection } from "./usage-section";

const sum = (key: string, extra: object = {}) => ({
  key,
  calls: 3,
  prompt_tokens: 1000,
  completion_tokens: 200,
  total_tokens: 1200,
  tokens_estimated: false,
  cost_usd: 0.5,
  cost_is_partial: false,
  ...extra,
});

it("shows what was used and what it cost, saying what is not certain", async () => {
  const { seen } = showPanel(<UsageSection />, {
    "GET /workbench/usage": {
      total: sum("", { cost_is_partial: true }),
      groups: [sum("2026-01-02"), sum("2026-01-01", { cost_usd: null, tokens_estimated: true })],
    },
  });
  expect(await screen.findByText("≥ $0.50")).toBeVisible();
  expect(screen.getAllByRole("rowheader").map(({ textContent }) => textContent)).toEqual([
    "2026-01-01",
    "2026-01-02",
  ]);
  expect(screen.getByText("≈ 1,200")).toBeVisible();
  expect(screen.getByText("no price known")).toBeVisible();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "By" }), "model");
  await waitFor(() => expect(seen.at(-1)?.path).toContain("group_by=model"));
});

it("says when nothing was used", async () => {
  showPanel(<UsageSection />, { "GET /workbench/usage": { total: sum("", { calls: 0 }), groups: [] } });
  expect(await screen.findByText("Nothing was used in this time.")).toBeVisible();
});

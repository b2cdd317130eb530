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
    "Thu, Jan 1",
    "Fri, Jan 2",
  ]);
  const chart = screen.getByRole("img", { name: /Tokens by day/ });
  expect(chart).toHaveAccessibleName(/30 days from/);
  expect(seen.some(({ path }) => path.includes("/workbench/usage") && path.includes("timezone="))).toBe(true);
  expect(screen.getByText("≈ 1,200")).toBeVisible();
  expect(screen.getByText("no price known")).toBeVisible();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Show" }), "cost");
  expect(screen.getByRole("img", { name: /Cost by day/ })).toBeVisible();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "By" }), "model");
  await waitFor(() => expect(seen.at(-1)?.path).toContain("group_by=model"));
});

it("names what was said and whose it was", async () => {
  showPanel(<UsageSection />, {
    "GET /workbench/budgets": [],
    "GET /workbench/usage": {
      total: sum(""),
      groups: [sum("message-1", { name: "Count the herons", agent_name: "Mercury" }), sum("")],
    },
  });
  await screen.findAllByText("$0.50");
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "By" }), "message");
  const names = (await screen.findAllByRole("rowheader")).map(({ textContent }) => textContent);
  expect(names).toEqual(["Count the herons · Mercury", "not about a message"]);
});

it("says when nothing was used", async () => {
  showPanel(<UsageSection />, { "GET /workbench/usage": { total: sum("", { calls: 0 }), groups: [] } });
  expect(await screen.findByText("Nothing was used in this time.")).toBeVisible();
});

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { type Routes, refusal, showPanel } from "@/test/page";
import { BudgetNotice } from "./budget-notice";
import { Budgets } from "./budgets";
import type { Budget } from "./queries";

const BUDGET: Budget = {
  id: "budget-1",
  agent_id: null,
  period: "month",
  limit_usd: 5,
  limit_tokens: null,
  warn_percent: 80,
  spent_usd: 4.5,
  spent_tokens: 1200,
  cost_is_partial: true,
  standing: "warning",
  renews_at: null,
};

function show(budgets: unknown, more: Routes = {}) {
  return showPanel(<Budgets />, {
    "GET /workbench/status": { version: "0", transport: "http", secrets: { available: true } },
    "GET /workbench/budgets": budgets,
    "GET /v1/agents/": [{ id: "agent-1", name: "Mercury" }],
    ...more,
  });
}

describe("budgets", () => {
  it("say how far each is used up, whose it is and what it does not see", async () => {
    show([
      BUDGET,
      {
        ...BUDGET,
        id: "budget-2",
        agent_id: "agent-1",
        period: "day",
        limit_usd: null,
        limit_tokens: 1000,
        standing: "stopped",
      },
      { ...BUDGET, id: "budget-3", agent_id: "agent-9", standing: "ok", cost_is_partial: false },
    ]);
    const all = await screen.findByRole("listitem", { name: "All agents together" });
    expect(all).toHaveTextContent("$4.50 of $5.00");
    expect(all).toHaveTextContent("nearly used up");
    expect(all).toHaveTextContent("no known price");
    const mercury = await screen.findByRole("listitem", { name: "Mercury" });
    expect(mercury).toHaveTextContent("1,200 of 1,000 tokens");
    expect(mercury).toHaveTextContent("The next model call is refused.");
    expect(mercury).not.toHaveTextContent("no known price");
    expect(screen.getByRole("listitem", { name: "An agent that is not here" })).toHaveTextContent("within");
  });

  it("are added with at least one limit, for one agent or all", async () => {
    const budgets: Budget[] = [];
    const { seen } = show(() => [...budgets], {
      "POST /workbench/budgets": () => {
        budgets.push({ ...BUDGET, agent_id: "agent-1" });
        return budgets[0];
      },
    });
    expect(await screen.findByText(/No budget/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Add a budget" }));
    const dialog = screen.getByRole("dialog");
    const submit = within(dialog).getByRole("button", { name: "Add budget" });
    expect(submit).toBeDisabled();
    await userEvent.selectOptions(
      within(dialog).getByLabelText("For"),
      await within(dialog).findByRole("option", { name: "Mercury" }),
    );
    await userEvent.selectOptions(within(dialog).getByLabelText("Period"), "day");
    await userEvent.type(within(dialog).getByLabelText("Limit in tokens"), "20000");
    await userEvent.click(submit);
    expect(await screen.findByRole("listitem", { name: "Mercury" })).toBeVisible();
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(seen.find(({ method }) => method === "POST")?.body).toEqual({
      agent_id: "agent-1",
      period: "day",
      limit_tokens: 20000,
      limit_usd: null,
      warn_percent: 80,
    });
  });

  it("are changed, and one limit is taken away for another; a refusal is said", async () => {
    let refuses = true;
    const { seen } = show([BUDGET], {
      "PATCH /workbench/budgets/budget-1": () =>
        refuses ? refusal(422, "limit_usd: must be from 0 to 1000000 dollars.") : { ...BUDGET, limit_usd: 9 },
    });
    await userEvent.click(await screen.findByRole("button", { name: /^Change the budget/ }));
    const dialog = screen.getByRole("dialog");
    const limit = within(dialog).getByLabelText("Limit in US dollars");
    const save = within(dialog).getByRole("button", { name: "Save" });
    await userEvent.clear(limit);
    expect(save).toBeDisabled();
    await userEvent.type(within(dialog).getByLabelText("Limit in tokens"), "9000");
    await userEvent.click(save);
    expect(await within(dialog).findByText(/must be from 0/)).toBeVisible();
    refuses = false;
    await userEvent.click(save);
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(seen.filter(({ method }) => method === "PATCH").at(-1)?.body).toEqual({
      period: "month",
      limit_usd: null,
      limit_tokens: 9000,
      warn_percent: 80,
    });
  });

  it("are told in the conversation of whom they press, with the way to raise them", async () => {
    const { seen } = showPanel(<BudgetNotice agentId="agent-1" />, {
      "GET /workbench/status": { version: "0", transport: "http", secrets: { available: true, store: "x" } },
      "GET /workbench/budgets": [
        { ...BUDGET, id: "budget-9", agent_id: "agent-9", standing: "stopped" },
        { ...BUDGET, agent_id: "agent-1", standing: "warning" },
      ],
      "PATCH /workbench/budgets/budget-1": BUDGET,
    });
    expect(await screen.findByText(/This agent, Each month: the budget is nearly used up/)).toBeVisible();
    expect(screen.getAllByRole("region")).toHaveLength(1);
    await userEvent.click(screen.getByRole("button", { name: "Raise it" }));
    const dialog = screen.getByRole("dialog");
    const limit = within(dialog).getByLabelText("Limit in US dollars");
    await userEvent.clear(limit);
    await userEvent.type(limit, "50");
    await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(seen.find(({ method }) => method === "PATCH")?.body).toMatchObject({ limit_usd: 50 });
  });

  it("are deleted only after asking", async () => {
    const budgets = [BUDGET];
    const { seen } = show(() => [...budgets], {
      "DELETE /workbench/budgets/budget-1": () => {
        budgets.length = 0;
        return { deleted: "budget-1" };
      },
    });
    await userEvent.click(await screen.findByRole("button", { name: /^Delete the budget/ }));
    expect(seen.some(({ method }) => method === "DELETE")).toBe(false);
    await userEvent.click(
      within(screen.getByRole("alertdialog")).getByRole("button", { name: "Delete budget" }),
    );
    expect(await screen.findByText(/No budget/)).toBeVisible();
  });
});

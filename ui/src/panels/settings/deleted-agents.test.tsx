import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { refusal, showPanel } from "@/test/page";
import { DeletedAgents } from "./deleted-agents";

const AGENT = {
  id: "agent-1",
  name: "Mercury",
  deleted_at: "2026-01-02T12:00:00Z",
  kept_until: "2026-02-01T12:00:00Z",
};

describe("deleted agents", () => {
  it("say that there are none", async () => {
    showPanel(<DeletedAgents />, { "GET /workbench/deleted-agents": [] });
    expect(await screen.findByText(/^None\./)).toBeVisible();
  });

  it("come back by a press, or say why not", async () => {
    let kept = [AGENT];
    let taken = true;
    showPanel(<DeletedAgents />, {
      "GET /workbench/deleted-agents": () => kept,
      "POST /workbench/deleted-agents/agent-1/restore": () => {
        if (taken) return refusal(409, "There is an agent with the id again.");
        kept = [];
        return {};
      },
    });
    expect(await screen.findByText("Deleted Jan 2, 2026, kept until Feb 1, 2026")).toBeVisible();
    const restore = screen.getByRole("button", { name: "Restore Mercury" });
    await userEvent.click(restore);
    expect(await screen.findByText(/with the id again/)).toBeVisible();
    taken = false;
    await userEvent.click(restore);
    await waitFor(() => expect(screen.queryByText("Mercury")).toBeNull());
  });

  it("go for good only after a question", async () => {
    let kept = [AGENT];
    const { seen } = showPanel(<DeletedAgents />, {
      "GET /workbench/deleted-agents": () => kept,
      "DELETE /workbench/deleted-agents/agent-1": () => {
        kept = [];
        return {};
      },
    });
    const forget = await screen.findByRole("button", { name: "Delete Mercury for good" });
    await userEvent.click(forget);
    let question = await screen.findByRole("alertdialog", { name: "Delete Mercury for good?" });
    await userEvent.click(within(question).getByRole("button", { name: "Cancel" }));
    expect(seen.some(({ method }) => method === "DELETE")).toBe(false);
    await userEvent.click(forget);
    question = await screen.findByRole("alertdialog", { name: "Delete Mercury for good?" });
    await userEvent.click(within(question).getByRole("button", { name: "Delete for good" }));
    await waitFor(() => expect(screen.queryByText("Mercury")).toBeNull());
  });
});

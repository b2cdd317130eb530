import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { showPanel } from "@/test/page";
import { Inspector } from "./inspector";
import { useLayout } from "./layout";

beforeEach(() => useLayout.setState({ tab: "memory" }));

const REASON = "Office does not offer archival memory.";

function show(connection: string, lacks: { feature: string; reason: string }[]) {
  return showPanel(<Inspector agentId="agent-1" />, {
    "GET /workbench/status": { version: "0", transport: "http", connection, secrets: { available: true } },
    "GET /workbench/connections": [
      { id: "local", selected: false, lacks: [] },
      { id: "connection-1", name: "Office", selected: true, lacks },
    ],
    "GET /v1/agents/": [],
    "GET /v1/agents/agent-1/core-memory/blocks": [],
    "GET /v1/agents/agent-1/archival-memory": [],
  });
}

describe("the inspector", () => {
  it("greys the archive with the reason where the server has none, and asks it for nothing", async () => {
    const { seen } = show("connection-1", [{ feature: "archival", reason: "As the desk says it." }]);
    const tab = await screen.findByTitle(REASON);
    expect(tab).toHaveTextContent("Archive");
    await userEvent.click(tab);
    expect(await screen.findByText(REASON)).toBeVisible();
    expect(seen.some(({ path }) => path.includes("archival-memory"))).toBe(false);
  });

  it("shows the archive where nothing speaks against it", async () => {
    show("local", []);
    await userEvent.click(await screen.findByRole("tab", { name: "Archive" }));
    expect(await screen.findByText(/Nothing is filed away yet/)).toBeVisible();
  });
});

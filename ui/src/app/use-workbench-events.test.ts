import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { applyEvent } from "./use-workbench-events";

function reread(data: string): unknown[] {
  const queries = new QueryClient();
  const spy = vi.spyOn(queries, "invalidateQueries").mockResolvedValue();
  applyEvent(queries, data);
  return spy.mock.calls.map(([filter]) => filter?.queryKey?.join("/") ?? "everything");
}

describe("an event of the desk", () => {
  it.each([
    [{ type: "block.changed", agent_id: "agent-1" }, ["agent/agent-1/blocks"]],
    [{ type: "block.changed", agent_id: null }, ["agent"]],
    [{ type: "agent.changed", agent_id: "agent-1" }, ["agents", "own-tools", "approvals", "agent/agent-1"]],
    [{ type: "tool.changed" }, ["agent", "tools", "approvals"]],
    [
      { type: "run.changed", agent_id: "agent-1" },
      ["agent/agent-1/active-runs", "agent/agent-1/messages", "agent/agent-1/passages", "budgets"],
    ],
    [{ type: "approval.waiting", agent_id: "agent-1" }, ["approvals", "agent/agent-1/messages"]],
    [{ type: "approval.resolved", agent_id: "agent-1" }, ["approvals", "agent/agent-1/messages"]],
    [{ type: "rule.changed" }, ["rules", "approvals"]],
    [{ type: "client_tool.changed" }, ["agent", "own-tools", "approvals"]],
    [{ type: "client_call.changed", agent_id: "agent-1", tool_call_id: "call-1" }, ["client-calls"]],
    [{ type: "provider.changed" }, ["providers", "models"]],
    [{ type: "settings.changed" }, ["settings", "budgets"]],
    [{ type: "connection.changed" }, ["connections", "status"]],
    [{ type: "all.changed" }, ["everything"]],
    [{ type: "holo.changed" }, []],
    [3, []],
  ])("%j has the right things read again", (event, expected) => {
    expect(reread(JSON.stringify(event))).toEqual(expected);
  });

  it("that cannot be read means nothing", () => {
    expect(reread("not json")).toEqual([]);
  });
});

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { textOf } from "@/test/editor";
import { type Routes, refusal, showPanel } from "@/test/page";
import { ToolsPanel } from "./tools-panel";

const adder = {
  id: "tool-1",
  name: "add",
  description: "Adds.",
  source_type: "python",
  source_code: "def add(a, b): ...",
  json_schema: { name: "add" },
  tags: [],
};
const other = { ...adder, id: "tool-2", name: "multiply", description: "Multiplies." };

const LOCAL = {
  tools: [],
  folder: "/home/ada/notes",
  folders: [{ path: "/home/ada/notes", read_only: false }],
  catalogue: [
    {
      name: "read_file",
      description: "Reads.",
      origin: "built_in",
      offered: true,
      by_itself: true,
      read_only: true,
      dangerous: false,
      needs_folder: true,
      shadows: null,
      problem: null,
    },
    {
      name: "run_command",
      description: "Runs.",
      origin: "built_in",
      offered: false,
      by_itself: false,
      read_only: false,
      dangerous: true,
      needs_folder: true,
      shadows: "tool-9",
      problem: null,
    },
  ],
};

function show(more: Routes = {}) {
  return showPanel(<ToolsPanel agentId="agent-1" />, {
    "GET /v1/agents/agent-1/tools": [adder],
    "GET /v1/agents/": [
      { id: "agent-1", blocks: [], tool_rules: [{ type: "requires_approval", tool_name: "add" }] },
    ],
    "GET /v1/tools/": [adder, other],
    "GET /workbench/client-tools": LOCAL,
    ...more,
  });
}

describe("the tools panel", () => {
  it("shows which tools ask before each call, and changes it", async () => {
    const { seen } = show({ "PATCH /v1/agents/agent-1/tools/approval/add": {} });
    const ask = await screen.findByRole("switch", { name: "Ask before add" });
    await waitFor(() => expect(ask).toBeChecked());
    await userEvent.click(ask);
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PATCH")?.body).toEqual({ requires_approval: false }),
    );
  });

  it("shows the source, attaches and detaches", async () => {
    const { seen } = show({
      "PATCH /v1/agents/agent-1/tools/detach/tool-1": {},
      "PATCH /v1/agents/agent-1/tools/attach/tool-2": {},
    });
    await userEvent.click(await screen.findByRole("button", { name: "More about add" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Source" }));
    const source = await screen.findByRole("textbox", { name: "Source" }, { timeout: 10_000 });
    expect(textOf(source)).toBe("def add(a, b): ...");
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());

    await userEvent.click(await screen.findByRole("button", { name: "More about add" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Detach" }));
    await waitFor(() => expect(seen.some(({ path }) => path.endsWith("/detach/tool-1"))).toBe(true));

    await userEvent.click(screen.getByRole("button", { name: "Attach a tool" }));
    await userEvent.click(await screen.findByRole("button", { name: "Attach multiply" }));
    await waitFor(() => expect(seen.some(({ path }) => path.endsWith("/attach/tool-2"))).toBe(true));
    expect(screen.queryByRole("button", { name: "Attach add" })).toBeNull();
  });

  it("offers this machine's tools one by one, and says what each is", async () => {
    const { seen } = show({ "PUT /workbench/client-tools/offered": LOCAL });
    const command = await screen.findByRole("listitem", { name: "run_command" });
    expect(command).toHaveTextContent("runs, writes or sends");
    await userEvent.click(within(command).getByRole("switch", { name: "Offer run_command" }));
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PUT")?.body).toEqual({
        agent_id: "agent-1",
        tool: "run_command",
        offered: true,
      }),
    );
  });

  it("says on both sides which of two tools of one name the agent sees", async () => {
    const [reader] = LOCAL.catalogue;
    const offers = (offered: boolean) => ({
      ...LOCAL,
      tools: offered ? [{ name: "add", description: "", parameters: {} }] : [],
      catalogue: [{ ...reader, name: "add", offered, origin: "own" }],
    });
    show({
      "GET /workbench/client-tools": offers(false),
      "PUT /workbench/client-tools/offered": offers(true),
    });
    const here = await screen.findByRole("region", { name: "On this machine" });
    const there = screen.getByRole("region", { name: "Attached tools" });
    expect(await within(here).findByText(/would take the place/)).toBeVisible();
    expect(within(there).queryByText(/not seen by the agent/)).toBeNull();
    await userEvent.click(within(here).getByRole("switch", { name: "Offer add" }));
    expect(await within(here).findByText(/takes the place/)).toBeVisible();
    expect(await within(there).findByText(/not seen by the agent/)).toBeVisible();
  });

  it("adds and removes folders, and says why one is not taken", async () => {
    const { seen } = show({
      "PUT /workbench/client-tools/folders": (request: { body: unknown }) =>
        JSON.stringify(request.body).includes("/etc") ? refusal(422, "That folder is the system's.") : LOCAL,
    });
    await userEvent.type(await screen.findByRole("textbox", { name: "Folder" }), "/etc");
    await userEvent.click(screen.getByRole("button", { name: "Use this folder" }));
    expect(await screen.findByText("That folder is the system's.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Remove" }));
    await waitFor(() => expect(seen.at(-1)?.body).toEqual({ agent_id: "agent-1", folders: [] }));
  });
});

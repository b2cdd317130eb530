import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { BlockVersion } from "@/api/workbench";
import { textOf, writeInto } from "@/test/editor";
import { type Routes, refusal, showPanel } from "@/test/page";
import { MemoryPanel } from "./memory-panel";

const human = { id: "block-1", label: "human", value: "Likes tea.", limit: 100, description: "About you" };
const persona = { id: "block-2", label: "persona", value: "Brief.", limit: 100, description: null };

function version(number: number, value: string, extra: Partial<BlockVersion> = {}): BlockVersion {
  return {
    version: number,
    label: "human",
    value,
    limit: 100,
    description: "About you",
    read_only: false,
    actor: "person",
    actor_id: null,
    actor_name: null,
    tool_call_id: null,
    tool_name: null,
    run_id: null,
    at: "2026-01-01T10:00:00Z",
    ...extra,
  };
}

const VERSIONS = [
  version(3, "Likes tea.", { actor: "tool", actor_name: "Mercury", tool_name: "memory_insert" }),
  version(2, "Likes milk."),
  version(1, "", { actor: "api" }),
];

function show(more: Routes = {}) {
  return showPanel(<MemoryPanel agentId="agent-1" />, {
    "GET /v1/agents/": [{ id: "agent-1", name: "Mercury", blocks: [persona, human] }],
    "GET /v1/agents/agent-1/core-memory/blocks": [human, persona],
    "GET /workbench/blocks/block-1/versions": VERSIONS,
    "GET /workbench/blocks/block-2/versions": [version(1, "Brief.")],
    "GET /v1/blocks/block-1/agents": [
      { id: "agent-1", name: "Mercury" },
      { id: "agent-2", name: "Venus" },
    ],
    "GET /v1/blocks/block-2/agents": [{ id: "agent-1", name: "Mercury" }],
    ...more,
  });
}

const card = (label: string) => screen.findByRole("article", { name: label });
const press = (name: string | RegExp, within_: HTMLElement = document.body) =>
  userEvent.click(within(within_).getByRole("button", { name }));

describe("the memory panel", () => {
  it("shows blocks in the order of the prompt, who changed them and who shares them", async () => {
    show();
    await card("human");
    await waitFor(() =>
      expect(screen.getAllByRole("article").map((each) => each.getAttribute("aria-labelledby"))).toHaveLength(
        2,
      ),
    );
    await waitFor(() =>
      expect(screen.getAllByRole("heading").map((each) => each.textContent)).toEqual(["persona", "human"]),
    );
    expect(await screen.findByText(/edited by Mercury/)).toBeVisible();
    expect(await screen.findByText("also used by Venus")).toBeVisible();
  });

  it("saves over what was seen", async () => {
    const { seen } = show({ "PATCH /workbench/blocks/block-1": { block: human, version: 4 } });
    await card("human");
    await press("Edit human");
    writeInto(
      await screen.findByRole("textbox", { name: "Value of human" }, { timeout: 10_000 }),
      "Likes coffee.",
    );
    await press("Save");
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PATCH")?.body).toEqual({
        value: "Likes coffee.",
        base_value: "Likes tea.",
      }),
    );
    await waitFor(() => expect(screen.queryByRole("textbox")).toBeNull());
  });

  it("writes through the API itself where the agents are elsewhere, and looks before it does", async () => {
    const reason = "Earlier versions of memory blocks are kept by Loci for the agents of this machine only.";
    const { seen } = show({
      "GET /workbench/status": { connection: "connection-1", version: "0", transport: "http" },
      "GET /workbench/connections": [
        { id: "connection-1", selected: true, lacks: [{ feature: "block_history", reason }] },
      ],
      "GET /v1/blocks/block-1": human,
      "PATCH /v1/blocks/block-1": human,
    });
    const shown = await card("human");
    await waitFor(() => expect(within(shown).queryByText(/edited by/)).toBeNull());
    for (const name of ["History", "Undo the last change", "Redo"]) {
      const greyed = await within(shown).findByRole("button", { name });
      expect(greyed).toHaveAttribute("aria-disabled", "true");
      expect(greyed).toHaveAccessibleDescription(reason);
      await userEvent.click(greyed);
    }
    expect(screen.queryByRole("dialog")).toBeNull();
    await press("Edit human");
    writeInto(
      await screen.findByRole("textbox", { name: "Value of human" }, { timeout: 10_000 }),
      "Likes rain.",
    );
    await press("Save");
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PATCH")).toMatchObject({
        path: "/v1/blocks/block-1",
        body: { value: "Likes rain." },
      }),
    );
  });

  it("keeps what was written when the server says that the block moved on", async () => {
    show({ "PATCH /workbench/blocks/block-1": refusal(409, "CONFLICT") });
    await card("human");
    await press("Edit human");
    const field = await screen.findByRole("textbox", { name: "Value of human" }, { timeout: 10_000 });
    writeInto(field, "Likes coffee.");
    await press("Save");
    await waitFor(() => expect(screen.getByRole("button", { name: "Save" })).toBeEnabled());
    expect(textOf(field)).toBe("Likes coffee.");
  });

  it("undoes by restoring the version before", async () => {
    const { seen } = show({
      "POST /workbench/blocks/block-1/restore": { block: human, version: 4 },
    });
    const human_ = await card("human");
    await waitFor(() =>
      expect(within(human_).getByRole("button", { name: "Undo the last change" })).toBeEnabled(),
    );
    await press("Undo the last change", human_);
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/restore"))?.body).toEqual({
        version: 2,
        base_version: 3,
      }),
    );
  });

  it("shows every version with its author and restores one", async () => {
    const { seen } = show({ "POST /workbench/blocks/block-1/restore": { block: human, version: 4 } });
    await card("human");
    await screen.findByText(/edited by Mercury/);
    await press(/^History of human/);
    const dialog = await screen.findByRole("dialog", { name: "History of human" });
    expect(await within(dialog).findByText(/edited by Mercury with memory_insert/)).toBeVisible();
    expect(within(dialog).getByText(/^created/)).toBeVisible();
    await userEvent.click(within(dialog).getByRole("button", { name: /Version 2/ }));
    const after = await within(dialog).findByRole("textbox", { name: "Version 2" }, { timeout: 10_000 });
    expect(textOf(after)).toBe("Likes milk.");
    await press("Restore this version", dialog);
    expect(await within(dialog).findByText("Version 2 is restored.")).toBeVisible();
    expect(seen.find(({ path }) => path.endsWith("/restore"))?.body).toEqual({ version: 2, base_version: 3 });
  });

  it("renames, moves, detaches and attaches", async () => {
    const { seen } = show({
      "PATCH /workbench/blocks/block-1": { block: human, version: 4 },
      "PATCH /v1/agents/agent-1": {},
      "PATCH /v1/agents/agent-1/core-memory/blocks/detach/block-1": {},
      "PATCH /v1/agents/agent-1/core-memory/blocks/attach/block-3": {},
      "GET /v1/blocks/": [human, persona, { id: "block-3", label: "project", value: "Loci" }],
    });
    await card("human");
    await screen.findByText("also used by Venus");
    const choose = async (item: string) => {
      await press("More about human");
      await userEvent.click(await screen.findByRole("menuitem", { name: item }));
    };
    const sent = (path: string) => seen.find((each) => each.method === "PATCH" && each.path === path);

    await choose("Rename and settings");
    const label = await screen.findByRole("textbox", { name: "Label" });
    await userEvent.clear(label);
    await userEvent.type(label, "person");
    await press("Save settings");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(sent("/workbench/blocks/block-1")?.body).toMatchObject({ label: "person", limit: 100 });

    await choose("Move up");
    await waitFor(() =>
      expect(sent("/v1/agents/agent-1")?.body).toEqual({ block_ids: ["block-1", "block-2"] }),
    );

    await choose("Detach");
    await press("Detach block");
    await waitFor(() => expect(sent("/v1/agents/agent-1/core-memory/blocks/detach/block-1")).toBeDefined());

    await press("Attach a block");
    await userEvent.click(await screen.findByRole("button", { name: "Attach project" }));
    await waitFor(() => expect(sent("/v1/agents/agent-1/core-memory/blocks/attach/block-3")).toBeDefined());
  });

  it("says when memory cannot be read, and tries again when told to", async () => {
    let broken = true;
    show({
      "GET /v1/agents/agent-1/core-memory/blocks": () =>
        broken ? refusal(500, "The disk is full.") : [human],
    });
    expect(await screen.findByText("The disk is full.")).toBeVisible();
    broken = false;
    await press("Try again");
    expect(await card("human")).toBeVisible();
  });
});

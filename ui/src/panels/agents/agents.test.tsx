import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Agent } from "@/api/types";
import { tagsFrom } from "@/lib/tags";
import { type Routes, showPanel } from "@/test/page";
import { AgentList } from "./agent-list";
import { useDeletions } from "./deletions";
import { AgentDialogs, useAgentDialogs } from "./dialogs";
import { filtered, tagsOf } from "./filter";
import { copyOf } from "./queries";
import { withDraft } from "./settings/draft";

const agent = (id: string, name: string, more: object = {}) =>
  ({
    id,
    name,
    model: "openai/gpt",
    tags: [],
    blocks: [],
    tools: [],
    secrets: [],
    system: "You remember.",
    description: null,
    created_at: "2026-01-01T00:00:00Z",
    last_run_completion: null,
    llm_config: { context_window: 8000 },
    model_settings: { provider_type: "openai", temperature: 1, max_output_tokens: 100 },
    compaction_settings: null,
    tool_rules: [],
    ...more,
  }) as unknown as Agent;

const mercury = agent("agent-1", "Mercury", {
  tags: ["work", "git-memory:on"],
  last_run_completion: "2026-02-01T00:00:00Z",
});
const venus = agent("agent-2", "Venus", { tags: ["work", "birds"] });

describe("the filter", () => {
  it("finds by every word, in name, model and tags, the last active first", () => {
    const names = (words: string, tag: string | null = null) =>
      filtered([venus, mercury], words, tag).map(({ name }) => name);
    expect(names("")).toEqual(["Mercury", "Venus"]);
    expect(names("GPT ven")).toEqual(["Venus"]);
    expect(names("birds")).toEqual(["Venus"]);
    expect(names("mars")).toEqual([]);
    expect(names("", "birds")).toEqual(["Venus"]);
  });

  it("offers tags by use, without other programs' marks", () => {
    expect(tagsOf([mercury, venus])).toEqual(["work", "birds"]);
    expect(tagsFrom(" a, b ,,a ")).toEqual(["a", "b"]);
  });
});

it("a duplicate has blocks of its own, the same tools and no secrets", () => {
  const original = agent("agent-1", "Mercury", {
    blocks: [{ id: "block-1", label: "human", value: "Ada", limit: 100, description: "d", read_only: true }],
    tools: [{ id: "tool-1" }],
    secrets: [{ key: "TOKEN" }],
  });
  const copy = copyOf(original, "Mercury copy");
  expect(copy.memory_blocks).toEqual([
    { label: "human", value: "Ada", limit: 100, description: "d", read_only: true },
  ]);
  expect(copy).toMatchObject({ name: "Mercury copy", tool_ids: ["tool-1"], include_base_tools: false });
  expect(copy).not.toHaveProperty("block_ids");
  expect(copy).not.toHaveProperty("secrets");
});

it("a draft shows through, but not its secrets", () => {
  const shown = withDraft(mercury, { name: "Hermes", secrets: { A: "b" }, context_window_limit: 4000 });
  expect(shown).toMatchObject({ name: "Hermes", secrets: [], llm_config: { context_window: 4000 } });
});

function show(more: Routes = {}) {
  const onDeleting = vi.fn();
  const shown = showPanel(
    <>
      <AgentList selected="agent-1" onSelect={() => {}} />
      <AgentDialogs onCreated={() => {}} onDeleting={onDeleting} onOpenModels={() => {}} />
    </>,
    {
      "GET /v1/agents/": [venus, mercury],
      "GET /workbench/approvals": [{ id: "message-1", agent_id: "agent-2", calls: [] }],
      "GET /v1/agents/agent-1": mercury,
      "GET /v1/models/": [{ handle: "openai/gpt" }, { handle: "openai/other" }],
      "GET /v1/tools/": [],
      ...more,
    },
  );
  return { ...shown, onDeleting };
}

describe("the list", () => {
  beforeEach(() => {
    useDeletions.setState({ leaving: [] });
    useAgentDialogs.setState({ open: null });
  });
  afterEach(() => vi.useRealTimers());

  it("says which is open, what waits, and narrows by tag", async () => {
    show();
    expect(await screen.findByRole("button", { current: "page" })).toHaveTextContent("Mercury");
    expect(await screen.findByText("1 request waits for you")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "birds", pressed: false }));
    expect(screen.queryByText("Mercury")).toBeNull();
    expect(screen.getByText("Venus")).toBeVisible();
  });

  it("deletes only after the time to take it back", async () => {
    const gone = vi.fn(() => null);
    const { onDeleting } = show({ "DELETE /v1/agents/agent-1": gone });
    await screen.findByText("Mercury");
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const ask = async () => {
      act(() => useAgentDialogs.getState().show({ kind: "delete", agentId: "agent-1" }));
      fireEvent.click(await screen.findByRole("button", { name: "Delete agent" }));
      await screen.findByText("Mercury deleted");
    };
    await ask();
    expect(onDeleting).toHaveBeenCalledWith("agent-1");
    expect(screen.queryByRole("button", { current: "page" })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(await screen.findByRole("button", { current: "page" })).toHaveTextContent("Mercury");
    await act(() => vi.advanceTimersByTimeAsync(20_000));
    expect(gone).not.toHaveBeenCalled();

    await ask();
    await act(() => vi.advanceTimersByTimeAsync(16_000));
    expect(gone).toHaveBeenCalledOnce();
    await waitFor(() => expect(screen.queryByText("Mercury deleted")).toBeNull());
  });

  it("saves in settings only what was changed", async () => {
    const patch = vi.fn((_: { body: unknown }) => mercury);
    show({ "PATCH /v1/agents/agent-1": patch });
    await screen.findByText("Mercury");
    act(() => useAgentDialogs.getState().show({ kind: "settings", agentId: "agent-1" }));
    const name = await screen.findByRole("textbox", { name: "Name" });
    expect(screen.getByRole("button", { name: "Save changes" })).toBeDisabled();
    await userEvent.clear(name);
    await userEvent.type(name, "Hermes");
    await userEvent.click(screen.getByRole("tab", { name: "Model" }));
    const chosen = screen.getByRole("combobox", { name: "Model" });
    expect(chosen).toHaveTextContent("openai/gpt");
    chosen.focus();
    await userEvent.keyboard("{ArrowDown}");
    await userEvent.type(screen.getByPlaceholderText("Search models"), "oth");
    await userEvent.keyboard("{Enter}");
    expect(chosen).toHaveTextContent("openai/other");
    await userEvent.click(screen.getByRole("button", { name: "Save changes" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(patch.mock.calls[0]?.[0].body).toEqual({ name: "Hermes", model: "openai/other" });
  });
});

import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { type Routes, refusal, showPanel } from "@/test/page";
import { ArchivePanel } from "./archive-panel";

const LIST = "GET /v1/agents/agent-1/archival-memory";
const SEARCH = "GET /v1/agents/agent-1/archival-memory/search";

const passage = (id: string, text: string, tags: string[] = []) => ({
  id,
  text,
  tags,
  created_at: "2026-01-01T10:00:00Z",
  is_deleted: false,
});

function show(more: Routes = {}) {
  return showPanel(<ArchivePanel agentId="agent-1" />, {
    [LIST]: [passage("passage-2", "The code is HERON-42", ["code"]), passage("passage-1", "Likes tea")],
    ...more,
  });
}

const items = () =>
  within(screen.getByRole("list", { name: "Passages" }))
    .getAllByRole("listitem")
    .filter((item) => within(item).queryByRole("button") !== null);

describe("the archive panel", () => {
  it("lists what is filed away, newest first, with its tags", async () => {
    const { seen } = show();
    expect(await screen.findByText("The code is HERON-42")).toBeVisible();
    expect(items()).toHaveLength(2);
    expect(items()[0]).toHaveTextContent("code");
    expect(seen[0]?.path).toContain("ascending=false");
  });

  it("reads on from the last one of a full page", async () => {
    const pages = Array.from({ length: 50 }, (_, at) => passage(`passage-${at}`, `Note ${at}`));
    const { seen } = show({
      [LIST]: ({ path }: { path: string }) =>
        path.includes("after=") ? [passage("passage-old", "The oldest")] : pages,
    });
    await userEvent.click(await screen.findByRole("button", { name: "Show earlier passages" }));
    expect(await screen.findByText("The oldest")).toBeVisible();
    expect(seen.at(-1)?.path).toContain("after=passage-49");
    expect(screen.queryByRole("button", { name: "Show earlier passages" })).toBeNull();
  });

  it("searches as the agent does, and comes back to the whole list", async () => {
    const { seen } = show({
      [SEARCH]: ({ path }: { path: string }) => ({
        count: 0,
        results: path.includes("heron")
          ? [{ id: "passage-2", timestamp: "2026-01-01T10:00:00Z", content: "HERON-42", tags: [] }]
          : [],
      }),
    });
    const field = await screen.findByRole("searchbox", { name: "Search the archive" });
    await userEvent.type(field, "heron");
    expect(await screen.findByText("HERON-42")).toBeVisible();
    expect(items()).toHaveLength(1);
    expect(seen.filter(({ path }) => path.includes("/search")).map(({ path }) => path)).toEqual([
      "/v1/agents/agent-1/archival-memory/search?query=heron&top_k=50",
    ]);
    await userEvent.clear(field);
    await userEvent.type(field, "nothing");
    expect(await screen.findByText("No passage matches.")).toBeVisible();
    await userEvent.clear(field);
    expect(await screen.findByText("Likes tea")).toBeVisible();
  });

  it("adds a passage and shows it", async () => {
    const kept = [passage("passage-1", "Likes tea")];
    const { seen } = show({
      [LIST]: () => [...kept],
      "POST /v1/agents/agent-1/archival-memory": () => {
        kept.unshift(passage("passage-3", "Plays the cello", ["music"]));
        return [kept[0]];
      },
    });
    await screen.findByText("Likes tea");
    await userEvent.click(screen.getByRole("button", { name: "Add a passage" }));
    const dialog = screen.getByRole("dialog", { name: "Add a passage" });
    expect(within(dialog).getByRole("button", { name: "Add passage" })).toBeDisabled();
    await userEvent.type(within(dialog).getByLabelText("Text"), "Plays the cello");
    await userEvent.type(within(dialog).getByLabelText("Tags"), "music, music, ");
    await userEvent.click(within(dialog).getByRole("button", { name: "Add passage" }));
    expect(await screen.findByText("Plays the cello")).toBeVisible();
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(seen.find(({ method }) => method === "POST")?.body).toEqual({
      text: "Plays the cello",
      tags: ["music"],
    });
  });

  it("deletes one only after asking, and says why it could not", async () => {
    let refuses = true;
    const kept = [passage("passage-1", "Likes tea")];
    show({
      [LIST]: () => [...kept],
      "DELETE /v1/agents/agent-1/archival-memory/passage-1": () => {
        if (refuses) return refusal(404, "Passage not found");
        kept.length = 0;
        return { message: "deleted" };
      },
    });
    await screen.findByText("Likes tea");
    await userEvent.click(screen.getByRole("button", { name: "Delete this passage" }));
    const question = screen.getByRole("alertdialog");
    expect(within(question).getByRole("button", { name: "Cancel" })).toHaveFocus();
    await userEvent.click(within(question).getByRole("button", { name: "Delete passage" }));
    expect(await within(question).findByText("Passage not found")).toBeVisible();
    refuses = false;
    await userEvent.click(within(question).getByRole("button", { name: "Delete passage" }));
    await waitFor(() => expect(screen.queryByText("Likes tea")).toBeNull());
    expect(await screen.findByText(/Nothing is filed away yet/)).toBeVisible();
  });

  it("says why nothing can be shown", async () => {
    show({ [LIST]: refusal(404, "There is no such agent.") });
    expect(await screen.findByText("There is no such agent.")).toBeVisible();
    expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  });
});

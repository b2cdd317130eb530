import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { type Routes, refusal, showPanel } from "@/test/page";
import { ConnectionsSection } from "./connections-section";

const health = {
  ok: true,
  checked_at: "2026-01-01T10:00:00Z",
  version: "0.16",
  latency_ms: 12,
  said: { message: "Office answers (version 0.16)." },
  code: null,
};
const LOCAL = {
  id: "local",
  kind: "local",
  name: "This machine",
  base_url: null,
  ca_file: null,
  has_key: false,
  selected: true,
  health,
  lacks: [],
  lacks_known: true,
  warning: null,
  problem: null,
};
const REMOTE = {
  ...LOCAL,
  id: "connection-1",
  kind: "remote",
  name: "Office",
  base_url: "http://office.example:8283",
  has_key: true,
  selected: false,
  lacks: [
    {
      feature: "block_history",
      reason: "Earlier versions of memory blocks are kept by Loci for the agents of this machine only.",
    },
  ],
  warning: { message: "Whoever is on the way can read the messages." },
};

function show(more: Routes = {}) {
  return showPanel(<ConnectionsSection />, { "GET /workbench/connections": [LOCAL, REMOTE], ...more });
}

describe("connections", () => {
  it("say how each server is, what it lacks, and which one is in use", async () => {
    show();
    expect(await screen.findByRole("listitem", { name: "This machine" })).toHaveTextContent("in use");
    const office = screen.getByRole("listitem", { name: "Office" });
    expect(office).toHaveTextContent("It answers · version 0.16 · 12 ms");
    expect(office).toHaveTextContent("Whoever is on the way");
    await userEvent.click(within(office).getByText("1 thing is not available there"));
    expect(
      within(office).getByText(
        "Earlier versions of memory blocks are kept by Loci for the agents of this machine only.",
      ),
    ).toBeVisible();
  });

  it("switch in one press, and say when that fails", async () => {
    show({ "POST /workbench/connections/connection-1/select": refusal(404, "It is gone.") });
    await userEvent.click(await screen.findByRole("button", { name: "Use" }));
    expect(await screen.findByText("It is gone.")).toBeVisible();
  });

  it("are tried before they are added, and never show a key again", async () => {
    const { seen } = show({
      "POST /workbench/connections/try": {
        ...health,
        ok: false,
        said: { message: "The key was refused." },
        lacks: null,
      },
      "POST /workbench/connections": REMOTE,
    });
    const form = await screen.findByRole("form", { name: "Add a server" });
    await userEvent.type(within(form).getByRole("textbox", { name: "Address" }), "https://a.example");
    await userEvent.type(within(form).getByLabelText("API key"), "hush");
    await userEvent.click(within(form).getByRole("button", { name: "Try it first" }));
    expect(await within(form).findByText(/The key was refused/)).toBeVisible();
    await userEvent.click(within(form).getByRole("button", { name: "Add server" }));
    await waitFor(() =>
      expect(
        seen.find(({ method, path }) => method === "POST" && path === "/workbench/connections")?.body,
      ).toEqual({
        base_url: "https://a.example",
        key: "hush",
      }),
    );
    await waitFor(() => expect(within(form).getByLabelText("API key")).toHaveValue(""));
  });
});

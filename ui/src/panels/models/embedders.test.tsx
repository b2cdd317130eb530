import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { showPanel } from "@/test/page";
import { Embedders } from "./embedders";

const archive = (more: object) => ({
  archive_id: "archive-1",
  name: "Mercury's archive",
  handle: null,
  passages: 1200,
  embedded: 0,
  failed: 0,
  problem: null,
  problem_at: null,
  ...more,
});
const ROUTES = {
  "GET /workbench/status": {
    version: "0",
    transport: "http",
    secrets: { available: true, store: "keyring" },
  },
  "GET /v1/models/embedding": [{ handle: "openai/text-embedding-3-small" }],
};

it("chooses the embedder of an archive, and says how far its vectors are", async () => {
  const { seen } = showPanel(<Embedders />, {
    ...ROUTES,
    "GET /workbench/embedding": [archive({})],
    "PUT /workbench/embedding": [archive({ handle: "openai/text-embedding-3-small", embedded: 400 })],
  });
  const row = await screen.findByRole("listitem", { name: "Mercury's archive" });
  expect(within(row).getByRole("status")).toHaveTextContent("1,200 entries, found by their words");
  await within(row).findByRole("option", { name: "openai/text-embedding-3-small" });
  await userEvent.selectOptions(within(row).getByRole("combobox"), "openai/text-embedding-3-small");
  await waitFor(() => expect(within(row).getByRole("status")).toHaveTextContent("400 of 1,200"));
  expect(seen.find(({ method }) => method === "PUT")?.body).toEqual({
    archive_id: "archive-1",
    handle: "openai/text-embedding-3-small",
  });
});

it("says why an embedder does not answer, that words go on being found, and asks it again", async () => {
  const { seen } = showPanel(<Embedders />, {
    ...ROUTES,
    "GET /workbench/embedding": [
      archive({ handle: "gone/embedder", problem: { message: "gone: no such provider." } }),
    ],
    "POST /workbench/embedding/retry": [archive({ handle: "gone/embedder", embedded: 1200 })],
  });
  expect(await screen.findByText(/gone: no such provider.*still found by their words/)).toBeVisible();
  expect(screen.getByRole("option", { name: "gone/embedder", selected: true })).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(screen.queryByText(/no such provider/)).toBeNull());
  expect(seen.some(({ method }) => method === "POST")).toBe(true);
});

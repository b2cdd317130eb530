import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { writeInto } from "@/test/editor";
import { type Routes, refusal, showPanel } from "@/test/page";
import { newDraft } from "./draft";
import { useDrafts } from "./drafts";
import { WorkshopPage } from "./workshop-page";

const OWN = {
  id: "client-tool-1",
  name: "tidy",
  source_type: "python",
  source_code: "def tidy(): ...",
  json_schema: {},
  pip_requirements: [],
  npm_requirements: [],
  read_only: false,
  network: false,
  timeout_seconds: 60,
  memory_mb: 512,
  env: {},
  secret_names: [],
};

function show(more: Routes = {}) {
  return showPanel(<WorkshopPage />, {
    // Agents of another server: these tools are here all the same.
    "GET /workbench/status": { connection: "connection-1" },
    "GET /v1/tools/": [{ id: "tool-1", name: "tidy", tool_type: "custom", tags: [] }],
    "GET /v1/agents/": [{ id: "agent-1", name: "Mercury", blocks: [] }],
    "GET /workbench/own-tools": [OWN],
    "GET /workbench/own-tools/client-tool-1/runs": [
      {
        name: "old_name",
        arguments: {},
        status: "success",
        result: "3 files",
        duration_ms: 5,
        at: "2026-01-01T00:00:00Z",
      },
    ],
    "GET /workbench/own-tools/client-tool-1/versions": [
      {
        version: 2,
        at: "2026-01-02T00:00:00Z",
        name: "tidy",
        source_type: "python",
        source_code: "def tidy(): ...",
      },
      {
        version: 1,
        at: "2026-01-01T00:00:00Z",
        name: "clean",
        source_type: "python",
        source_code: "def clean(): ...",
      },
    ],
    "GET /workbench/tools/new/runs": [
      {
        name: "tidy",
        arguments: {},
        status: "error",
        result: "no",
        duration_ms: 5,
        at: "2026-01-02T00:00:00Z",
      },
    ],
    "GET /workbench/tools/interpreters": { python: { program: "python3", version: "3.12" }, node: null },
    "POST /workbench/tools/schema": { name: "tidy", description: "Tidies.", parameters: {} },
    "GET /workbench/client-tools/offered": [],
    ...more,
  });
}

const source = () => screen.findByRole("textbox", { name: "Source code" }, { timeout: 10_000 });
const tab = (name: string) => userEvent.click(screen.getByRole("tab", { name }));
const save = async () => {
  await waitFor(() => expect(screen.getByRole("button", { name: "Save" })).toBeEnabled());
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
};

describe("a tool of this machine", () => {
  beforeEach(() => {
    localStorage.clear();
    useDrafts.setState({ drafts: {}, open: "client-tool-1" });
  });

  it("is begun as one, and is kept by this desk whatever server is in use", async () => {
    useDrafts.setState({ drafts: {}, open: null });
    const { seen } = show({
      "GET /workbench/own-tools": [],
      "POST /workbench/own-tools": { ...OWN, id: "client-tool-2" },
      "PUT /workbench/own-tools/client-tool-2/variables": OWN,
    });
    await userEvent.click(
      await screen.findAllByRole("button", { name: "New tool" }).then(([first]) => first as HTMLElement),
    );
    await userEvent.click(screen.getByRole("button", { name: /A function in Python/ }));
    await source();
    await userEvent.selectOptions(
      screen.getByRole("combobox", { name: "Where it runs" }),
      "On this machine, asks first",
    );
    await tab("Settings");
    await userEvent.click(screen.getByRole("switch", { name: "Changes nothing" }));
    expect(screen.queryByRole("switch", { name: "Ask before each call" })).toBeNull();
    await save();
    await waitFor(() =>
      expect(
        seen.find(({ method, path }) => method === "POST" && path === "/workbench/own-tools")?.body,
      ).toEqual({
        source_code: expect.stringContaining("def my_tool"),
        source_type: "python",
        pip_requirements: [],
        npm_requirements: [],
        read_only: true,
        network: false,
        timeout_seconds: 60,
        memory_mb: null,
      }),
    );
    await waitFor(() => expect(useDrafts.getState().open).toBe("client-tool-2"));
  });

  it("is changed, told apart from the server's of the same name, and deleted", async () => {
    let there = true;
    const { seen } = show({
      "GET /workbench/own-tools": () => (there ? [OWN] : []),
      "PATCH /workbench/own-tools/client-tool-1": OWN,
      "PUT /workbench/own-tools/client-tool-1/variables": OWN,
      "DELETE /workbench/own-tools/client-tool-1": () => {
        there = false;
        return null;
      },
    });
    writeInto(await source(), "def tidy(deep: bool): ...");
    expect(await screen.findByText(/The server has a tool tidy, too/)).toBeVisible();
    await save();
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PATCH")?.body).toMatchObject({
        source_code: "def tidy(deep: bool): ...",
        memory_mb: 512,
      }),
    );
    await waitFor(() => expect(useDrafts.getState().drafts).toEqual({}));
    writeInto(await source(), "def tidy(never_saved): ...");
    await userEvent.click(screen.getByRole("button", { name: "More" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Delete" }));
    expect(await screen.findByText(/offered to no agent any more/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Delete tool" }));
    await waitFor(() => expect(seen.some(({ method }) => method === "DELETE")).toBe(true));
    await waitFor(() => expect(useDrafts.getState()).toMatchObject({ drafts: {}, open: null }));
  });

  it("replaces its namesake of this machine only after a question", async () => {
    useDrafts.setState({ open: "new", drafts: { new: newDraft("python", "def tidy(): ...", "machine") } });
    const { seen } = show({ "PATCH /workbench/own-tools/client-tool-1": OWN });
    await source();
    await screen.findByText(/The server has a tool tidy, too/);
    await save();
    expect(await screen.findByRole("alertdialog", { name: "Replace the tool tidy?" })).toBeVisible();
    expect(seen.some(({ method }) => method === "PATCH")).toBe(false);
    await userEvent.click(screen.getByRole("button", { name: "Replace it" }));
    await waitFor(() => expect(seen.some(({ method }) => method === "PATCH")).toBe(true));
  });

  it("says what goes when its namesake is replaced, and hands a secret of the same name on", async () => {
    const variables = [{ name: "TOKEN", value: null, secret: true }];
    const draft = newDraft("python", "def tidy(): ...", "machine");
    useDrafts.setState({
      open: "new",
      drafts: {
        new: { ...draft, grants: { ...draft.grants, variables } },
        "client-tool-1": newDraft("python", "def half_written(): ...", "machine"),
      },
    });
    const { seen } = show({
      "GET /workbench/own-tools": [{ ...OWN, env: { PLACE: "here" }, secret_names: ["TOKEN", "KEY"] }],
      "PATCH /workbench/own-tools/client-tool-1": OWN,
      "PUT /workbench/own-tools/client-tool-1/variables": OWN,
    });
    await source();
    await screen.findByText(/The server has a tool tidy, too/);
    await save();
    const question = await screen.findByRole("alertdialog", { name: "Replace the tool tidy?" });
    expect(within(question).getByText(/^Deleted with it/)).toHaveTextContent("PLACE, KEY");
    expect(within(question).getByText(/^Handed on/)).toHaveTextContent("TOKEN");
    await userEvent.click(within(question).getByRole("button", { name: "Replace it" }));
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/variables"))?.body).toEqual({
        env: {},
        secrets: { TOKEN: null },
      }),
    );
    // What was half written into the old one is not lost, and is not mistaken for a change of the new one.
    await waitFor(() => expect(useDrafts.getState().open).toBe("client-tool-1"));
    const { drafts } = useDrafts.getState();
    expect(Object.entries(drafts).map(([key, { source_code }]) => [key, source_code])).toEqual([
      ["new", "def half_written(): ..."],
    ]);
  });

  it("cannot be saved while a secret has no value, as after a restart", async () => {
    const variables = [{ name: "TOKEN", value: "hush", secret: true }];
    const draft = newDraft("python", "def sweep(): ...", "machine");
    useDrafts.getState().setDraft("new", { ...draft, grants: { ...draft.grants, variables } });
    useDrafts.getState().setOpen("new");
    await useDrafts.persist.rehydrate();
    const { seen } = show({
      "POST /workbench/tools/schema": { name: "sweep", parameters: {} },
      "POST /workbench/own-tools": { ...OWN, id: "client-tool-2", name: "sweep" },
      "PUT /workbench/own-tools/client-tool-2/variables": OWN,
    });
    await source();
    expect(await screen.findByText(/The secret TOKEN has no value/)).toBeVisible();
    await waitFor(() => expect(screen.getByRole("heading", { name: /^sweep/ })).toBeVisible());
    expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
    await tab("Settings");
    expect(screen.getByLabelText("Value of TOKEN")).toHaveAttribute("placeholder", "not set");
    await userEvent.type(screen.getByLabelText("Value of TOKEN"), "again");
    await save();
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/variables"))?.body).toEqual({
        env: {},
        secrets: { TOKEN: "again" },
      }),
    );
  });

  it("is kept with its source when its variables could not be", async () => {
    const variables = [{ name: "TOKEN", value: "hush", secret: true }];
    const draft = newDraft("python", "def sweep(): ...", "machine");
    useDrafts.setState({
      open: "new",
      drafts: { new: { ...draft, grants: { ...draft.grants, variables } } },
    });
    const sweep = { ...OWN, id: "client-tool-2", name: "sweep", source_code: "def sweep(): ..." };
    let kept = false;
    const { seen } = show({
      "GET /workbench/own-tools": () => (kept ? [sweep] : []),
      "POST /workbench/tools/schema": { name: "sweep", parameters: {} },
      "POST /workbench/own-tools": () => {
        kept = true;
        return sweep;
      },
      "PUT /workbench/own-tools/client-tool-2/variables": refusal(503, "The keyring is locked."),
    });
    await source();
    await save();
    expect(await screen.findByText("The keyring is locked.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    // Once more is a change of the same tool, not one more of the same name.
    await waitFor(() =>
      expect(seen.some(({ method, path }) => method === "PATCH" && path.endsWith("/client-tool-2"))).toBe(
        true,
      ),
    );
  });

  it("says why it cannot have a name", async () => {
    const reason = "read_file is a tool of Loci's own. Give the function another name.";
    show({ "PATCH /workbench/own-tools/client-tool-1": refusal(409, reason) });
    writeInto(await source(), "def read_file(): ...");
    await save();
    expect(await screen.findByText(reason)).toBeVisible();
  });

  it("has variables, and secrets that are sent only when they are typed anew", async () => {
    const { seen } = show({
      "GET /workbench/own-tools": [{ ...OWN, env: { PLACE: "here" }, secret_names: ["TOKEN"] }],
      "PATCH /workbench/own-tools/client-tool-1": OWN,
      "PUT /workbench/own-tools/client-tool-1/variables": OWN,
    });
    await source();
    await tab("Settings");
    expect(screen.getByRole("textbox", { name: "Value of PLACE" })).toHaveValue("here");
    expect(screen.getByLabelText("Value of TOKEN")).toHaveValue("");
    await userEvent.click(screen.getByRole("button", { name: "Add a variable" }));
    await userEvent.type(screen.getAllByRole("textbox", { name: "NAME" }).at(-1) as HTMLElement, "KEY");
    await userEvent.type(screen.getByLabelText("Value of KEY"), "s3cret");
    const boxes = screen.getAllByRole("checkbox", { name: /Secret/ });
    await userEvent.click(boxes.at(-1) as HTMLElement);
    await save();
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/variables"))?.body).toEqual({
        env: { PLACE: "here" },
        secrets: { TOKEN: null, KEY: "s3cret" },
      }),
    );
    expect(JSON.stringify(seen.find(({ method }) => method === "PATCH")?.body)).not.toContain("s3cret");
  });

  it("goes back to an earlier version", async () => {
    const { seen } = show({ "POST /workbench/own-tools/client-tool-1/versions/1/restore": OWN });
    await source();
    await tab("History");
    expect(await screen.findByText("clean")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Compare" }));
    await userEvent.click(await screen.findByRole("button", { name: "Restore this version" }));
    await waitFor(() =>
      expect(seen.some(({ path }) => path === "/workbench/own-tools/client-tool-1/versions/1/restore")).toBe(
        true,
      ),
    );
  });

  it("is offered to agents one by one, and lists its own trials only", async () => {
    const { seen } = show({ "PUT /workbench/client-tools/offered": {} });
    await source();
    expect(await screen.findByText("Succeeded")).toBeInTheDocument();
    expect(screen.queryByText("Failed")).toBeNull();
    await tab("Agents");
    const offer = await screen.findByRole("switch", { name: "Offer to Mercury" });
    expect(offer).not.toBeChecked();
    await userEvent.click(offer);
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PUT")?.body).toEqual({
        agent_id: "agent-1",
        tool: "tidy",
        offered: true,
      }),
    );
  });
});

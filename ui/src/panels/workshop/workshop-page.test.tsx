import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { textOf, writeInto } from "@/test/editor";
import { openBody } from "@/test/fake-transport";
import { type Routes, refusal, showPanel } from "@/test/page";
import { frame } from "@/test/wire";
import { useDrafts } from "./drafts";
import { WorkshopPage } from "./workshop-page";

const TOOL = {
  id: "tool-1",
  name: "add",
  tool_type: "custom",
  source_type: "python",
  source_code: "def add(a: int, b: int = 2): ...",
  tags: [],
  return_char_limit: 50000,
  default_requires_approval: true,
};
const SCHEMA = {
  name: "add",
  description: "Adds.",
  parameters: {
    type: "object",
    properties: {
      a: { type: "integer", description: "First" },
      b: { type: "integer", default: 2 },
      mode: { enum: ["exact", "rough"] },
      items: { type: "array", items: { type: "string" } },
    },
    required: ["a"],
  },
};
const GRANTS = { network: false, timeout_seconds: null, memory_mb: null, env: {}, secret_names: ["TOKEN"] };

/** The trial's events, as a stream that has ended. */
function stream(...events: object[]) {
  const open = openBody();
  for (const event of events) open.write(frame(event as Record<string, unknown>));
  open.end();
  return { status: 200, headers: new Headers(), body: open.body };
}

function show(more: Routes = {}) {
  return showPanel(<WorkshopPage />, {
    "GET /v1/tools/": [TOOL, { ...TOOL, id: "tool-0", name: "web_search", tool_type: "letta_builtin" }],
    "GET /workbench/tools/tool-1/settings": GRANTS,
    "GET /workbench/tools/tool-1/versions": [
      {
        version: 2,
        at: "2026-01-02T00:00:00Z",
        name: "add",
        source_code: TOOL.source_code,
      },
      {
        version: 1,
        at: "2026-01-01T00:00:00Z",
        name: "add",
        source_code: "def add(a): ...",
      },
    ],
    "GET /workbench/tools/tool-1/used-by": [{ id: "agent-1", name: "Mercury", requires_approval: true }],
    "GET /v1/agents/": [
      { id: "agent-1", name: "Mercury", blocks: [] },
      { id: "agent-2", name: "Venus", blocks: [] },
    ],
    "GET /workbench/own-tools": [],
    "GET /workbench/tools/tool-1/runs": [],
    "GET /workbench/tools/new/runs": [],
    "GET /workbench/tools/interpreters": {
      python: { program: "python3", version: "3.12" },
      node: null,
      installers: [],
    },
    "POST /v1/tools/generate-schema": SCHEMA,
    ...more,
  });
}

const press = (name: string | RegExp) => userEvent.click(screen.getByRole("button", { name }));
const source = () => screen.findByRole("textbox", { name: "Source code" }, { timeout: 10_000 });
const openTool = async () => {
  await userEvent.click(await screen.findByRole("button", { name: "add" }));
  return source();
};

beforeEach(() => {
  localStorage.clear();
  useDrafts.setState({ drafts: {}, open: null });
});

describe("the workshop", () => {
  it("lists the tools one wrote and no built-in ones", async () => {
    show();
    expect(await screen.findByRole("button", { name: "add" })).toBeVisible();
    expect(screen.queryByRole("button", { name: "web_search" })).toBeNull();
  });

  it("starts from the gallery, keeps what is written, and saves by name", async () => {
    const { seen } = show({
      "POST /v1/tools/generate-schema": { ...SCHEMA, name: "my_tool" },
      "PUT /v1/tools/": { ...TOOL, id: "tool-2", name: "my_tool" },
      "PUT /workbench/tools/tool-2/settings": GRANTS,
    });
    await userEvent.click(
      await screen.findAllByRole("button", { name: "New tool" }).then(([first]) => first as HTMLElement),
    );
    await press(/A function in Python/);
    const editor = await source();
    writeInto(editor, "def my_tool(a: int): ...");
    expect(JSON.stringify(useDrafts.getState().drafts)).toContain("def my_tool");
    await waitFor(() => expect(screen.getByRole("button", { name: "Save" })).toBeEnabled());
    await press("Save");
    await waitFor(() =>
      expect(seen.find(({ method }) => method === "PUT")).toMatchObject({
        path: "/v1/tools/",
        body: {
          source_code: "def my_tool(a: int): ...",
          source_type: "python",
          default_requires_approval: true,
        },
      }),
    );
    await waitFor(() => expect(useDrafts.getState()).toMatchObject({ drafts: {}, open: "tool-2" }));
  });

  it("leaves one where one was when a new tool is saved for the first time", async () => {
    useDrafts.setState({
      open: "new",
      drafts: { new: (await import("./draft")).newDraft("python", "def add(a: int, b: int = 2): ...") },
    });
    let kept = false;
    show({
      "GET /v1/tools/": () => (kept ? [TOOL] : []),
      "PUT /v1/tools/": () => {
        kept = true;
        return TOOL;
      },
      "PUT /workbench/tools/tool-1/settings": GRANTS,
    });
    await source();
    const given = await screen.findByRole("spinbutton", { name: /^a/ });
    await userEvent.type(given, "3");
    await userEvent.click(screen.getByRole("tab", { name: "Schema" }));
    await press("Save");
    await waitFor(() => expect(useDrafts.getState()).toMatchObject({ drafts: {}, open: "tool-1" }));
    expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
    expect(screen.getByRole("tab", { name: "Schema" })).toHaveAttribute("aria-selected", "true");
    await userEvent.click(screen.getByRole("tab", { name: "Test" }));
    expect(screen.getByRole("spinbutton", { name: /^a/ })).toHaveValue(3);
  });

  it("loses nothing that is written while it is being saved", async () => {
    let answer = () => {};
    const waiting = new Promise<void>((done) => {
      answer = done;
    });
    show({
      "PATCH /v1/tools/tool-1": async () => {
        await waiting;
        return TOOL;
      },
      "PUT /workbench/tools/tool-1/settings": GRANTS,
    });
    const editor = await openTool();
    writeInto(editor, "def add(a: int): ...");
    await press("Save");
    writeInto(editor, "def add(a: int, more: int): ...");
    answer();
    await waitFor(() => expect(useDrafts.getState().drafts["tool-1"]?.source_code).toContain("more"));
    await waitFor(() => expect(screen.getByRole("button", { name: "Save" })).toBeEnabled());
  });

  it("keeps what is written in one new tool when another is begun", async () => {
    useDrafts.setState({
      open: "new",
      drafts: { new: (await import("./draft")).newDraft("python", "def first(): ...") },
    });
    show();
    await source();
    await press("New tool");
    await press(/A function in TypeScript/);
    expect(await screen.findByRole("button", { name: /countWords/ })).toHaveAttribute("aria-current", "true");
    await press(/first/);
    await waitFor(async () => expect(textOf(await source())).toBe("def first(): ..."));
    expect(Object.keys(useDrafts.getState().drafts)).toEqual(["new", "new:2"]);
  });

  it("asks before a new tool takes another's name", async () => {
    useDrafts.setState({
      open: "new",
      drafts: { new: { ...(await import("./draft")).newDraft("python", "def add(): ...") } },
    });
    const { seen } = show();
    await source();
    await waitFor(() => expect(screen.getByRole("heading", { name: /^add/ })).toBeVisible());
    await press("Save");
    expect(await screen.findByRole("alertdialog", { name: "Replace the tool add?" })).toBeVisible();
    expect(seen.some(({ method }) => method === "PUT")).toBe(false);
  });

  it("says where the source is wrong and does not save it", async () => {
    show({
      "POST /v1/tools/generate-schema": refusal(
        400,
        "Schema generation failed: syntax error in line 1, column 6: '(' is never closed",
      ),
    });
    const editor = await openTool();
    writeInto(editor, "def f(a");
    expect(await screen.findByText(/is never closed/)).toBeVisible();
    expect(editor).toHaveAttribute("aria-invalid", "true");
    expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  });

  it("keeps secrets it does not know when a tool is saved again", async () => {
    const { seen } = show({
      "PATCH /v1/tools/tool-1": TOOL,
      "PUT /workbench/tools/tool-1/settings": GRANTS,
    });
    await openTool();
    await userEvent.click(screen.getByRole("tab", { name: "Settings" }));
    await userEvent.click(screen.getByRole("switch", { name: "Allow network" }));
    await userEvent.type(screen.getByRole("textbox", { name: "Python packages" }), "rich==14.0{Enter}");
    await press("Save");
    await waitFor(() =>
      expect(seen.find(({ path }) => path.endsWith("/settings") && path.includes("tool-1"))).toBeDefined(),
    );
    await waitFor(() =>
      expect(seen.findLast(({ method }) => method === "PUT")?.body).toEqual({
        network: true,
        timeout_seconds: null,
        memory_mb: null,
        env: {},
        secrets: { TOKEN: null },
      }),
    );
    expect(seen.find(({ method }) => method === "PATCH")?.body).toMatchObject({
      pip_requirements: [{ name: "rich", version: "14.0" }],
    });
  });

  it("tries the tool out with a form made of its schema", async () => {
    const { seen } = show({
      "POST /workbench/tools/run": () =>
        stream(
          { type: "stdout", text: "adding…\n" },
          {
            type: "result",
            status: "success",
            value: 5,
            changed_blocks: null,
            confinement: { network_granted: false, gaps: ["no memory limit"] },
            duration_ms: 42,
          },
        ),
    });
    await openTool();
    const form = await screen.findByRole("form", { name: "Arguments" });
    const run = within(form).getByRole("button", { name: "Run" });
    expect(run).toBeDisabled();
    expect(within(form).getByText("Still needed: a")).toBeVisible();
    await userEvent.type(within(form).getByRole("spinbutton", { name: /^a/ }), "3");
    await userEvent.selectOptions(within(form).getByRole("combobox", { name: /mode/ }), "rough");
    const items = within(form).getByRole("textbox", { name: /items/ });
    await userEvent.type(items, "[[");
    expect(run).toBeDisabled();
    await userEvent.clear(items);
    await userEvent.type(items, '[["x"]');
    await userEvent.click(run);
    expect(await screen.findByText("adding…")).toBeVisible();
    expect(await screen.findByText("Succeeded")).toBeVisible();
    expect(screen.getByText("no memory limit")).toBeVisible();
    expect(seen.find(({ path }) => path === "/workbench/tools/run")?.body).toMatchObject({
      args: { a: 3, mode: "rough", items: ["x"] },
      tool_id: "tool-1",
      network: false,
    });
  });

  it("shows where it failed, and tries it on behalf of an agent from the keyboard", async () => {
    const { seen } = show({
      "POST /v1/tools/generate-schema": { ...SCHEMA, parameters: { type: "object", properties: {} } },
      "POST /workbench/tools/run": () =>
        stream(
          { type: "stderr", text: "careful\n" },
          {
            type: "result",
            status: "error",
            value: "Error executing function add: KeyError: 'x'",
            stderr: ["careful\n", "Traceback:\n  line 3, in add\n"],
            confinement: { landlock: 5, network_blocked: true, memory_bytes: 512000000, gaps: [] },
            duration_ms: 42,
          },
        ),
    });
    await openTool();
    const form = await screen.findByRole("form", { name: "Arguments" });
    await within(form).findByRole("option", { name: "Venus" });
    await userEvent.selectOptions(within(form).getByRole("combobox", { name: "On behalf of" }), "Venus");
    await userEvent.keyboard("{Control>}{Enter}{/Control}");
    expect(await screen.findByText("Failed")).toBeVisible();
    expect(screen.getByText(/careful/).textContent).toBe("careful\nTraceback:\n  line 3, in add\n");
    expect(screen.getByText("Files: only its own folder")).toBeInTheDocument();
    expect(screen.getByText("Memory: 512 MB at most")).toBeInTheDocument();
    expect(seen.find(({ path }) => path === "/workbench/tools/run")?.body).toMatchObject({
      agent_id: "agent-2",
      name: "add",
    });
  });

  it("has nothing left to save when it is as it was", async () => {
    show();
    const editor = await openTool();
    writeInto(editor, "def other(): ...");
    expect(screen.getByRole("listitem")).toHaveTextContent("not saved");
    writeInto(editor, TOOL.source_code);
    expect(screen.getByRole("listitem")).not.toHaveTextContent("not saved");
    expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  });

  it("shows who has it, and attaches it to another agent", async () => {
    const { seen } = show({ "PATCH /v1/agents/agent-2/tools/attach/tool-1": {} });
    await openTool();
    await userEvent.click(screen.getByRole("tab", { name: "Agents" }));
    expect(await screen.findByRole("switch", { name: "Attach to Mercury" })).toBeChecked();
    expect(screen.getByRole("listitem", { name: "Mercury" })).toHaveTextContent("asks before each call");
    await userEvent.click(screen.getByRole("switch", { name: "Attach to Venus" }));
    await waitFor(() => expect(seen.some(({ path }) => path.endsWith("/attach/tool-1"))).toBe(true));
  });

  it("restores an old version", async () => {
    const { seen } = show({ "POST /workbench/tools/tool-1/versions/1/restore": TOOL });
    await openTool();
    await userEvent.click(screen.getByRole("tab", { name: "History" }));
    await press("Compare");
    const before = await screen.findByRole("textbox", { name: "Version 1" }, { timeout: 10_000 });
    expect(textOf(before)).toBe("def add(a): ...");
    await press("Restore this version");
    await waitFor(() => expect(seen.some(({ path }) => path.endsWith("/versions/1/restore"))).toBe(true));
  });
});

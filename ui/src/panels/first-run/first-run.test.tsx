import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { type Routes, showPanel } from "@/test/page";
import { FirstRunPage } from "./first-run-page";
import { isLoopback } from "./queries";
import { begin } from "./services";

const REHEARSAL = { handle: "rehearsal/rehearsal" };

function show(routes: Routes) {
  const onCreated = vi.fn();
  const shown = showPanel(<FirstRunPage onCreated={onCreated} onOpenModels={() => {}} />, {
    "GET /v1/models/": [REHEARSAL],
    "GET /workbench/providers": [],
    "GET /v1/agents/": [],
    "POST /v1/agents/": { id: "agent-1", name: "First agent" },
    ...routes,
  });
  return { ...shown, onCreated };
}

const made = (seen: Array<{ method: string; path: string; body: unknown }>) =>
  seen.find(({ method, path }) => method === "POST" && path === "/v1/agents/")?.body;

it("offers a model of this machine first and begins with it", async () => {
  const { seen, onCreated } = show({
    "GET /v1/models/": [REHEARSAL, { handle: "openai/gpt" }, { handle: "ollama/llama3.2" }],
    "GET /workbench/providers": [{ name: "ollama", base_url: "http://127.0.0.1:11434/v1" }],
  });
  expect(await screen.findByText("Runs on this machine; nothing leaves it.")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Start talking" }));
  await waitFor(() => expect(onCreated).toHaveBeenCalledWith("agent-1"));
  expect(made(seen)).toMatchObject({ model: "ollama/llama3.2" });
});

it("tries a key before keeping it, and says why it was refused", async () => {
  const add = vi.fn(() => ({}));
  const { seen, onCreated } = show({
    "POST /workbench/providers/try": ({ body }: { body: unknown }) =>
      (body as { api_key: string }).api_key === "good"
        ? { ok: true, said: { message: "" }, models: ["openai/text-embedding-3", "openai/gpt-4.1-mini"] }
        : { ok: false, said: { code: "llm_authentication", message: "The key was refused." }, models: [] },
    "POST /workbench/providers": add,
  });
  const key = await screen.findByLabelText("API key");
  await userEvent.type(key, "bad{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("The key was refused.");
  expect(add).not.toHaveBeenCalled();
  await userEvent.clear(key);
  await userEvent.type(key, "good{Enter}");
  await waitFor(() => expect(onCreated).toHaveBeenCalledWith("agent-1"));
  expect(made(seen)).toMatchObject({ model: "openai/gpt-4.1-mini" });
  expect(key).toHaveValue("");
});

it("never takes the stand-in for a model, and calls it what it is", async () => {
  const { seen, onCreated } = show({});
  expect(await screen.findByText(/None yet. Start Ollama/)).toBeVisible();
  expect(screen.getByText("no AI")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Rehearse without AI" }));
  await waitFor(() => expect(onCreated).toHaveBeenCalledWith("agent-1"));
  expect(made(seen)).toMatchObject({ model: "rehearsal/rehearsal" });
});

it.each([
  [["a/text-embedding", "a/gpt-4.1", "a/gpt-4.1-mini"], "a/gpt-4.1-mini"],
  [["a/whisper", "a/something"], "a/something"],
  [[], ""],
])("of %j begins with %j", (handles, first) => {
  expect(begin(handles)).toBe(first);
});

it.each([
  ["http://127.0.0.1:11434/v1", true],
  ["http://localhost:1234", true],
  ["http://127.0.0.1.example.org/", false],
  ["https://api.openai.com/v1", false],
  [null, false],
])("%j is on this machine: %j", (address, local) => {
  expect(isLoopback(address)).toBe(local);
});

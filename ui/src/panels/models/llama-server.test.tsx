import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { type Routes, refusal, showPanel } from "@/test/page";
import type { Managed } from "./llama-queries";
import { LlamaServer } from "./llama-server";

const ROOT = "/workbench/runtimes/llama-server";

const STOPPED: Managed = {
  phase: "stopped",
  launch: { program: null, model: null, context_length: null, gpu_layers: null },
  program: "/usr/bin/llama-server",
  pid: null,
  base_url: null,
  started_at: null,
  context_in_force: null,
  context_note: null,
  memory_bytes: null,
  tokens_per_second: null,
  restarts: 0,
  problem: null,
};

const RUNNING: Managed = {
  ...STOPPED,
  phase: "running",
  launch: { ...STOPPED.launch, model: "/models/small.gguf", context_length: 8192 },
  pid: 7,
  base_url: "http://127.0.0.1:9090/v1",
  started_at: "2026-01-01T10:00:00Z",
  context_in_force: 4096,
  context_note: "8192 tokens of context were asked for, but 4096 are in force.",
  memory_bytes: 2_000_000_000,
  tokens_per_second: 41.7,
  restarts: 2,
};

async function show(managed: unknown, more: Routes = {}) {
  const shown = showPanel(<LlamaServer />, {
    [`GET ${ROOT}`]: managed,
    [`GET ${ROOT}/files`]: [{ path: "/models/small.gguf", name: "small.gguf", bytes: 1_200_000_000 }],
    ...more,
  });
  await userEvent.click(screen.getByRole("button", { name: /^Run a model file/ }));
  return shown;
}

describe("the llama-server of Loci", () => {
  it("is kept and started with the file that was picked, and nothing starts unasked", async () => {
    let now = STOPPED;
    const { seen } = await show(() => now, {
      [`PUT ${ROOT}`]: () => now,
      [`POST ${ROOT}/start`]: () => {
        now = { ...RUNNING, phase: "starting", context_in_force: null, context_note: null };
        return now;
      },
    });
    const form = await screen.findByRole("form", { name: /^Run a model file/ });
    const start = within(form).getByRole("button", { name: "Start" });
    expect(start).toBeDisabled();
    const found = await within(form).findByRole("combobox", { name: "Found on this machine" });
    await userEvent.selectOptions(found, "small.gguf (1.2 GB)");
    expect(within(form).getByLabelText("Model file")).toHaveValue("/models/small.gguf");
    await userEvent.type(within(form).getByLabelText("Context in tokens"), "8192");
    expect(seen.every(({ method }) => method === "GET")).toBe(true);
    await userEvent.click(start);
    expect(await screen.findByText("loading the model")).toBeVisible();
    expect(seen.filter(({ method }) => method !== "GET")).toEqual([
      {
        method: "PUT",
        path: ROOT,
        body: { program: null, model: "/models/small.gguf", context_length: 8192, gpu_layers: null },
      },
      { method: "POST", path: `${ROOT}/start`, body: null },
    ]);
  });

  it("says what is in force while it runs, shows its output, and is stopped", async () => {
    let now = RUNNING;
    const { seen } = await show(() => now, {
      [`GET ${ROOT}/log`]: { lines: ["load model", "server is listening"] },
      [`POST ${ROOT}/stop`]: () => {
        now = STOPPED;
        return now;
      },
    });
    expect(await screen.findByText(/4,096 tokens of context in force/)).toHaveTextContent(
      "2 GB of memory · 42 tokens a second · started again 2 times",
    );
    expect(screen.getByText(/8,192 tokens of context were asked for/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Start anew with this" })).toBeEnabled();
    expect(seen.some(({ path }) => path.includes("/log"))).toBe(false);
    await userEvent.click(screen.getByRole("button", { name: "Output of llama-server" }));
    expect(await screen.findByText(/server is listening/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Stop llama-server" }));
    expect(await screen.findByText("stopped")).toBeVisible();
    await waitFor(() => expect(screen.queryByRole("button", { name: "Stop llama-server" })).toBeNull());
  });

  it("says why it cannot be started, and why it failed", async () => {
    await show(
      {
        ...STOPPED,
        phase: "failed",
        program: null,
        problem: { message: "It ended with code 1: not enough memory." },
      },
      { [`PUT ${ROOT}`]: refusal(422, "model: /x.gguf is not there.") },
    );
    expect(await screen.findByText(/not enough memory/)).toBeVisible();
    expect(screen.getByText(/llama-server was not found on this machine/)).toBeVisible();
    await userEvent.type(screen.getByLabelText("Model file"), "/x.gguf");
    await userEvent.click(screen.getByRole("button", { name: "Start" }));
    expect(await screen.findByText("model: /x.gguf is not there.")).toBeVisible();
    expect(screen.getByLabelText("Model file")).toHaveValue("/x.gguf");
  });
});

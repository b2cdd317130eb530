import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { type Routes, refusal, showPanel } from "@/test/page";
import { SettingsPage } from "./settings-page";

const SETTINGS = {
  theme: "system",
  language: "en",
  close_to_tray: false,
  notify_approvals: true,
  notify_finished: true,
  expire_unattended_hours: 24,
  confine_commands: true,
};
const SERVER = {
  can_change: true,
  on: false,
  port: 8283,
  base_url: null,
  token_file: "/data/token",
  needs_token: true,
  problem: null,
};

function show(more: Routes = {}) {
  return showPanel(<SettingsPage />, {
    "GET /workbench/settings": SETTINGS,
    "GET /workbench/status": {
      version: "0.1.0",
      transport: "window",
      data_dir: "/data",
      secrets: {
        available: false,
        store: "memory",
        reason: { message: "There is no keyring." },
        choices: ["file", "memory"],
      },
    },
    "GET /workbench/server": SERVER,
    "GET /workbench/deleted-agents": [],
    "GET /workbench/data": { data_dir: "/data", bytes: 3_400_000, backup_dir: "/data/backups" },
    "PATCH /workbench/settings": (request: { body: object }) => ({ ...SETTINGS, ...request.body }),
    ...more,
  });
}

describe("the settings", () => {
  it("are stored one by one", async () => {
    const { seen } = show();
    const theme = await screen.findByRole("combobox", { name: "Appearance" });
    await waitFor(() => expect(theme).toBeEnabled());
    await userEvent.selectOptions(theme, "dark");
    await userEvent.click(await screen.findByRole("switch", { name: /Confine/ }));
    const hours = screen.getByRole("spinbutton", { name: /Deny what waits/ });
    await userEvent.clear(hours);
    await userEvent.tab();
    await waitFor(() =>
      expect(seen.filter(({ method }) => method === "PATCH").map(({ body }) => body)).toEqual([
        { theme: "dark" },
        { confine_commands: false },
        { expire_unattended_hours: null },
      ]),
    );
  });

  it("say where data and keys are, and copy the data", async () => {
    const { seen } = show({
      "POST /workbench/backup": { file: "/data/backups/loci-1.db", bytes: 3_400_000 },
      "POST /workbench/secrets": {},
    });
    expect(await screen.findByText("There is no keyring.")).toBeVisible();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Keep keys in" }), "file");
    await waitFor(() =>
      expect(seen.find(({ path }) => path === "/workbench/secrets")?.body).toEqual({ store: "file" }),
    );
    await userEvent.click(screen.getByRole("button", { name: "Back up now" }));
    expect(await screen.findByText(/loci-1\.db/)).toBeVisible();
  });

  it("turn the local server on, say why not, and show snippets that hold no token", async () => {
    let taken = true;
    show({
      "PATCH /workbench/server": () =>
        taken
          ? refusal(409, "Port 8283 is taken by another program.")
          : { ...SERVER, on: true, base_url: "http://127.0.0.1:8283" },
      "POST /workbench/server/token": { token: "secret-token", token_file: null },
    });
    const on = await screen.findByRole("switch", { name: "Let other programs reach the agents" });
    await userEvent.click(on);
    expect(await screen.findByText(/is taken by another program/)).toBeVisible();
    taken = false;
    await userEvent.click(on);
    await waitFor(() => expect(on).toBeChecked());
    await userEvent.click(screen.getByRole("button", { name: "Show the token" }));
    expect(await screen.findByText("secret-token")).toBeVisible();
    await userEvent.click(screen.getByRole("tab", { name: "curl" }));
    const example = screen.getByText(/curl http:\/\/127\.0\.0\.1:8283/);
    expect(example).toHaveTextContent("$LOCI_TOKEN");
    expect(example).not.toHaveTextContent("secret-token");
    await userEvent.click(screen.getByRole("button", { name: "Hide it" }));
    expect(screen.queryByText("secret-token")).toBeNull();
  });
});

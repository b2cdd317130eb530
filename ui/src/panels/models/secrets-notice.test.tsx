import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { showPanel } from "@/test/page";
import { SecretsNotice } from "./secrets-notice";

const STATUS = { version: "0", transport: "window" };

test("without a keyring one is told why, and can have a file instead", async () => {
  let secrets: object = {
    available: false,
    store: "memory",
    reason: { message: "No keyring here." },
    choices: ["file"],
  };
  const { seen } = showPanel(<SecretsNotice />, {
    "GET /workbench/status": () => ({ ...STATUS, secrets }),
    "POST /workbench/secrets": () => {
      secrets = { available: true, store: "file" };
      return secrets;
    },
  });
  expect(await screen.findByRole("status")).toHaveTextContent("No keyring here.");
  await userEvent.click(screen.getByRole("button", { name: "Keep them in a file only you can read" }));
  await waitFor(() => expect(screen.queryByRole("status")).toBeNull());
  expect(seen).toContainEqual(
    expect.objectContaining({ path: "/workbench/secrets", body: { store: "file" } }),
  );
});

import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { showPanel } from "@/test/page";
import { SecretsNotice } from "./secrets-notice";

const STATUS = { version: "0", transport: "window" };

test("where keys are kept for this session by choice, that is said once", async () => {
  const reason = { code: "secrets_for_now", message: "Keys are kept only while Loci runs, as chosen." };
  showPanel(<SecretsNotice />, {
    "GET /workbench/status": { ...STATUS, secrets: { available: false, store: "memory", reason } },
  });
  expect(await screen.findByRole("status")).toHaveTextContent(/^Keys are kept only until Loci closes\.$/);
});

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

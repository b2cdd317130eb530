import { useQuery } from "@tanstack/react-query";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { useApi } from "@/api/context";
import { agentsQuery } from "@/api/queries";
import { forgetTrouble } from "@/api/reach";
import { type Routes, refusal, showPanel } from "@/test/page";
import { TransportError } from "@/transport";
import { ConnectionBanner } from "./connection-banner";

const gone = refusal(504, {
  code: "CONNECTION_TIMEOUT",
  message: "Office did not answer within 30 seconds.",
  connection_id: "connection-1",
});

function Window() {
  const { data } = useQuery(agentsQuery(useApi()));
  return (
    <>
      <ConnectionBanner />
      <p>{data?.length === 0 ? "no agents" : ""}</p>
    </>
  );
}

function show(more: Routes) {
  return showPanel(<Window />, {
    "GET /workbench/status": { connection: "connection-1", version: "0", transport: "http" },
    "GET /workbench/connections": [
      { id: "local", name: "This machine", selected: false, lacks: [] },
      { id: "connection-1", name: "Office", selected: true, lacks: [] },
    ],
    ...more,
  });
}

beforeEach(forgetTrouble);

describe("a server out of reach", () => {
  it("is said once with the way to try again, and no more when it answers", async () => {
    let answers = false;
    const { seen } = show({
      "GET /v1/agents/": () => (answers ? [] : gone),
      "POST /workbench/connections/connection-1/check": () => {
        answers = true;
        return {};
      },
    });
    const banner = await screen.findByRole("region", { name: "Connection" });
    // Once: nothing before the sentence says it, too.
    expect(within(banner).getByRole("status")).toHaveTextContent(
      /^Office did not answer within 30 seconds\.$/,
    );
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("no agents")).toBeVisible();
    await waitFor(() => expect(banner).not.toBeInTheDocument());
    expect(seen.some(({ path }) => path.endsWith("/check"))).toBe(true);
  });

  it("leaves the way back to this machine open", async () => {
    const { seen } = show({ "GET /v1/agents/": gone, "POST /workbench/connections/local/select": {} });
    await userEvent.click(await screen.findByRole("button", { name: "Use this machine" }));
    await waitFor(() => expect(seen.some(({ path }) => path.endsWith("/local/select"))).toBe(true));
  });

  it("is Loci itself when not even that answers", async () => {
    show({
      "GET /workbench/status": { connection: "local", version: "0", transport: "http" },
      "GET /v1/agents/": () => {
        throw new TransportError("The Loci server did not answer.");
      },
    });
    const banner = await screen.findByRole("region", { name: "Connection" });
    expect(within(banner).getByRole("status")).toHaveTextContent(/^Loci does not answer\. See/);
    expect(within(banner).queryByRole("button", { name: "Use this machine" })).toBeNull();
  });

  it("is not meant when a request itself was refused", async () => {
    const { queries } = show({ "GET /v1/agents/": refusal(422, "No.") });
    await waitFor(() => expect(queries.getQueryState(["agents"])?.status).toBe("error"));
    expect(screen.queryByRole("region", { name: "Connection" })).toBeNull();
  });
});

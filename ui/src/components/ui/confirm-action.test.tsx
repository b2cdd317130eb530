import { useMutation } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";
import { showPanel } from "@/test/page";
import { ConfirmAction } from "./confirm-action";

function Asking({ forget }: { forget: () => Promise<unknown> }) {
  const [open, setOpen] = useState(false);
  const action = useMutation({ mutationFn: forget });
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Ask
      </button>
      <ConfirmAction
        open={open}
        onOpenChange={setOpen}
        heading="Forget it?"
        explanation="It is gone then."
        submit="Forget"
        action={action}
        onConfirm={() => action.mutate(undefined, { onSuccess: () => setOpen(false) })}
      />
    </>
  );
}

const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

it("is focused on the safe answer, says why it could not be done, and forgets that when asked anew", async () => {
  let reason: string | null = "The disk is full.";
  showPanel(
    <Asking
      forget={async () => {
        if (reason) throw new Error(reason);
      }}
    />,
    {},
  );
  await press("Ask");
  expect(screen.getByRole("button", { name: "Cancel" })).toHaveFocus();
  await press("Forget");
  expect(await screen.findByRole("alert")).toHaveTextContent("The disk is full.");
  await press("Cancel");
  expect(screen.queryByRole("alertdialog")).toBeNull();
  await press("Ask");
  expect(screen.queryByRole("alert")).toBeNull();
  reason = null;
  await press("Forget");
  expect(screen.queryByRole("alertdialog")).toBeNull();
});

it("is not done twice while it is being done", async () => {
  let times = 0;
  showPanel(
    <Asking
      forget={() => {
        times += 1;
        return new Promise(() => {});
      }}
    />,
    {},
  );
  await press("Ask");
  await press("Forget");
  expect(screen.getByRole("button", { name: "Forget" })).toBeDisabled();
  await press("Forget");
  expect(times).toBe(1);
});

import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act } from "react";
import { expect, it } from "vitest";
import { ApiError } from "@/api/error";
import { tellFailure } from "@/lib/told-failure";
import { ToldFailure } from "./told-failure";

it("says why something failed that has no place of its own, until it is dismissed", async () => {
  render(<ToldFailure />);
  expect(screen.queryByRole("alert")).toBeNull();
  act(() => tellFailure(new ApiError("The disk is full.", "loci", 500)));
  expect(screen.getByRole("alert")).toHaveTextContent("The disk is full.");
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByRole("alert")).toBeNull();
});

// Why something could not be done that has no place of its own to say so: a menu that has closed, a key, a button
// that is gone by then.
import { create } from "zustand";

export const useToldFailure = create<{ thrown: unknown }>()(() => ({ thrown: null }));

/** Has it said above everything, until it is dismissed or something else fails. */
export function tellFailure(thrown: unknown): void {
  useToldFailure.setState({ thrown });
}

export function dismissFailure(): void {
  useToldFailure.setState({ thrown: null });
}

// Whether the palette is open: the rail, a key and a menu open it alike.
import { create } from "zustand";

type PaletteState = { open: boolean; setOpen(open: boolean): void };

export const usePalette = create<PaletteState>()((set) => ({
  open: false,
  setOpen: (open) => set({ open }),
}));

export function openPalette(): void {
  usePalette.getState().setOpen(true);
}

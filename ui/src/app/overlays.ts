// What stands over the window and is opened from several places: the rail, a key, a menu, the palette itself.
import { create } from "zustand";

type Overlay = "palette" | "shortcuts";

type Overlays = { open: Overlay | null; show(overlay: Overlay | null): void };

export const useOverlays = create<Overlays>()((set) => ({
  open: null,
  show: (open) => set({ open }),
}));

export function openPalette(): void {
  useOverlays.getState().show("palette");
}

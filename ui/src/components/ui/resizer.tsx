import { type ComponentProps, type PointerEvent, useRef } from "react";
import { cn } from "@/lib/cn";

type ResizerProps = Omit<ComponentProps<"div">, "onChange"> & {
  label: string;
  /** Width in pixels of what stands to the right. */
  width: number;
  least: number;
  most: number;
  onWidth: (width: number) => void;
};

/** Pixels of one press of an arrow key. */
const STEP = 16;

/** The edge between two columns, moved by pointer or arrow keys. */
export function Resizer({ label, width, least, most, onWidth, className, ...rest }: ResizerProps) {
  const from = useRef<{ x: number; width: number } | null>(null);
  const set = (wanted: number) => onWidth(Math.round(Math.min(most, Math.max(least, wanted))));
  const onPointerMove = (event: PointerEvent) => {
    if (from.current) set(from.current.width + from.current.x - event.clientX);
  };
  const stop = () => {
    from.current = null;
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule does not move
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      className={cn(
        "relative z-10 -mr-px w-px shrink-0 cursor-col-resize touch-none bg-border before:absolute before:inset-y-0 before:-left-1 before:w-2 hover:bg-accent focus-visible:bg-accent",
        className,
      )}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX, width };
      }}
      onPointerMove={onPointerMove}
      onPointerUp={stop}
      onPointerCancel={stop}
      onKeyDown={(event) => {
        const direction = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
        if (direction === undefined) return;
        event.preventDefault();
        set(width + direction * STEP);
      }}
      {...rest}
    />
  );
}

import type { ComponentProps, MouseEvent } from "react";
import { cn } from "@/lib/cn";

type Variant = "default" | "primary" | "danger" | "quiet";

const VARIANTS: Record<Variant, string> = {
  default: "border border-input/60 bg-card hover:bg-muted",
  primary: "border border-accent bg-accent text-accent-foreground hover:opacity-90",
  danger: "border border-danger bg-danger text-danger-foreground hover:opacity-90",
  quiet: "border border-transparent hover:bg-muted",
};

export type ButtonProps = ComponentProps<"button"> & {
  variant?: Variant;
  size?: "md" | "sm" | "icon";
  /** Why this cannot be done here. The button is greyed but stays within reach, so that the reason can be read. */
  lack?: string | null;
};

const SIZES: Record<NonNullable<ButtonProps["size"]>, string> = {
  md: "h-8 px-3",
  sm: "h-7 px-2 text-xs",
  icon: "size-7 justify-center",
};

export function Button({
  variant = "default",
  size = "md",
  className,
  type = "button",
  lack = null,
  ...rest
}: ButtonProps) {
  const greyed = lack
    ? { "aria-disabled": true, title: lack, onClick: (event: MouseEvent) => event.preventDefault() }
    : {};
  return (
    <button
      type={type}
      className={cn(
        "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors duration-150",
        "disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:cursor-not-allowed aria-disabled:opacity-55",
        VARIANTS[variant],
        SIZES[size],
        className,
      )}
      {...rest}
      {...greyed}
    />
  );
}

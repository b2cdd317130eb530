import { Switch as RadixSwitch } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** On or off, at once. The place of the knob says it, the colour says it again. */
export function Switch({ className, ...rest }: ComponentProps<typeof RadixSwitch.Root>) {
  return (
    <RadixSwitch.Root
      className={cn(
        "relative h-4 w-7 shrink-0 rounded-full border border-input bg-muted transition-colors duration-150 disabled:opacity-55 data-[state=checked]:border-accent data-[state=checked]:bg-accent",
        className,
      )}
      {...rest}
    >
      <RadixSwitch.Thumb className="block size-3 translate-x-px rounded-full bg-muted-foreground transition-transform duration-150 data-[state=checked]:translate-x-[13px] data-[state=checked]:bg-accent-foreground" />
    </RadixSwitch.Root>
  );
}

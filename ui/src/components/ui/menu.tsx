import { DropdownMenu } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** A button that opens a list of actions. */
export const Menu = DropdownMenu.Root;
export const MenuTrigger = DropdownMenu.Trigger;

export function MenuContent({ className, ...rest }: ComponentProps<typeof DropdownMenu.Content>) {
  return (
    <DropdownMenu.Portal>
      <DropdownMenu.Content
        align="end"
        sideOffset={4}
        className={cn(
          "z-50 flex min-w-44 animate-appear flex-col rounded-md border bg-card p-1 shadow-lg",
          className,
        )}
        {...rest}
      />
    </DropdownMenu.Portal>
  );
}

type ItemProps = ComponentProps<typeof DropdownMenu.Item> & {
  danger?: boolean;
  /** Why this cannot be done here; it stands below the greyed entry. */
  lack?: string | null;
};

export function MenuItem({
  danger = false,
  lack = null,
  className,
  children,
  disabled = false,
  ...rest
}: ItemProps) {
  return (
    <DropdownMenu.Item
      disabled={disabled || lack !== null}
      className={cn(
        "flex items-center gap-2 rounded-sm px-2 py-1 outline-none select-none data-[disabled]:opacity-55 data-[highlighted]:bg-muted",
        danger && "text-danger",
        lack && "flex-col items-start gap-0.5",
        className,
      )}
      {...rest}
    >
      {lack ? (
        <>
          <span className="flex items-center gap-2">{children}</span>
          <span className="max-w-64 text-xs">{lack}</span>
        </>
      ) : (
        children
      )}
    </DropdownMenu.Item>
  );
}

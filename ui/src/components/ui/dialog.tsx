import { AlertDialog as RadixAlert, Dialog as RadixDialog } from "radix-ui";
import { type ComponentProps, type FormEvent, type ReactNode, useRef } from "react";
import { cn } from "@/lib/cn";

const OVERLAY = "fixed inset-0 z-40 bg-black/40 animate-appear";
const PANEL =
  "fixed left-1/2 top-1/2 z-50 flex max-h-[90vh] w-[min(34rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 flex-col gap-4 overflow-y-auto rounded-md border bg-background p-5 shadow-xl";

export const Dialog = RadixDialog.Root;

type ContentProps = ComponentProps<typeof RadixDialog.Content> & {
  heading: ReactNode;
  explanation?: ReactNode;
};

export function DialogContent({ heading, explanation, className, children, ...rest }: ContentProps) {
  const written = useRef(false);
  const note = ({ target }: FormEvent) => {
    written.current ||= target instanceof Element && target.closest("form") !== null;
  };
  /** What was written into a form is not lost by a slip: its own buttons close it. */
  const stay = (event: Event) => {
    if (written.current) event.preventDefault();
  };
  return (
    <RadixDialog.Portal>
      <RadixDialog.Overlay className={OVERLAY} />
      <RadixDialog.Content
        className={cn(PANEL, className)}
        {...(explanation ? {} : { "aria-describedby": undefined })}
        onInput={note}
        onInteractOutside={stay}
        onEscapeKeyDown={stay}
        {...rest}
      >
        <header className="flex flex-col gap-1">
          <RadixDialog.Title className="text-lg font-semibold">{heading}</RadixDialog.Title>
          {explanation ? (
            <RadixDialog.Description className="text-muted-foreground">{explanation}</RadixDialog.Description>
          ) : null}
        </header>
        {children}
      </RadixDialog.Content>
    </RadixDialog.Portal>
  );
}

export const Confirm = RadixAlert.Root;

type ConfirmProps = ComponentProps<typeof RadixAlert.Content> & {
  heading: ReactNode;
  explanation: ReactNode;
};

/** A question that must be answered; the safe answer is focused by the primitive. */
export function ConfirmContent({ heading, explanation, className, children, ...rest }: ConfirmProps) {
  return (
    <RadixAlert.Portal>
      <RadixAlert.Overlay className={OVERLAY} />
      <RadixAlert.Content className={cn(PANEL, className)} {...rest}>
        <header className="flex flex-col gap-1">
          <RadixAlert.Title className="text-lg font-semibold">{heading}</RadixAlert.Title>
          <RadixAlert.Description className="text-muted-foreground">{explanation}</RadixAlert.Description>
        </header>
        {children}
      </RadixAlert.Content>
    </RadixAlert.Portal>
  );
}

export const ConfirmCancel = RadixAlert.Cancel;

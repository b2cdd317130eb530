import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";

const CONTROL =
  "w-full rounded-md border border-input bg-card px-2.5 py-1.5 placeholder:text-muted-foreground disabled:opacity-60 aria-invalid:border-danger";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(CONTROL, "h-8 py-0", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={cn(CONTROL, "resize-y", className)} {...rest} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select className={cn(CONTROL, "h-8 py-0", className)} {...rest} />;
}

type FieldProps = {
  label: ReactNode;
  /** Said under the control, and to screen readers with it. */
  hint?: ReactNode;
  /** What is wrong with the value; takes the hint's place. */
  problem?: ReactNode;
  className?: string;
  children: (control: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": true | undefined;
  }) => ReactNode;
};

/** A labelled control. The control is made by the child, with the attributes that tie it to its label. */
export function Field({ label, hint, problem, className, children }: FieldProps) {
  const id = useId();
  const note = problem ?? hint;
  return (
    <div className={cn("flex flex-col gap-1", className)}>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": note ? `${id}-note` : undefined,
        "aria-invalid": problem ? true : undefined,
      })}
      {note ? (
        <p id={`${id}-note`} className={cn("text-xs", problem ? "text-danger" : "text-muted-foreground")}>
          {note}
        </p>
      ) : null}
    </div>
  );
}

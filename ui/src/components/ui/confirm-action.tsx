import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useFailure } from "@/lib/use-failure";
import { Button } from "./button";
import { Confirm, ConfirmCancel, ConfirmContent } from "./dialog";
import { Problem } from "./problem";

type ConfirmActionProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  heading: ReactNode;
  explanation: ReactNode;
  /** What the button says that does it. */
  submit: ReactNode;
  /** Destroys something, unless it says otherwise. */
  variant?: "danger" | "primary";
  /** It cannot be done yet. */
  disabled?: boolean;
  /** What is asked about: while it is done it is not begun again, and why it could not be done is said here. */
  action?: { isPending: boolean; error: unknown; reset: () => void };
  onConfirm: () => void;
  /** What it is about, if that is worth showing. */
  children?: ReactNode;
};

/** Asks before something is done that cannot be taken back by a click. Closing it is up to whoever asks. */
export function ConfirmAction({
  open,
  onOpenChange,
  heading,
  explanation,
  submit,
  variant = "danger",
  disabled = false,
  action,
  onConfirm,
  children,
}: ConfirmActionProps) {
  const { t } = useTranslation();
  const failure = useFailure();
  const change = (stays: boolean) => {
    // Asked once more it is another try: the failure of the one before is over.
    if (!stays && action?.error) action.reset();
    onOpenChange(stays);
  };
  return (
    <Confirm open={open} onOpenChange={change}>
      <ConfirmContent heading={heading} explanation={explanation}>
        {children}
        {action?.error ? <Problem {...failure.of(action.error)} /> : null}
        <footer className="flex justify-end gap-2">
          <ConfirmCancel asChild>
            <Button>{t("common.cancel")}</Button>
          </ConfirmCancel>
          <Button variant={variant} disabled={disabled || (action?.isPending ?? false)} onClick={onConfirm}>
            {submit}
          </Button>
        </footer>
      </ConfirmContent>
    </Confirm>
  );
}

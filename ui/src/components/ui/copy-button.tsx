import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, type ButtonProps } from "./button";

type CopyButtonProps = Omit<ButtonProps, "onClick" | "children"> & {
  /** What is copied, made when it is asked for. */
  text: () => string | Promise<string>;
  label: string;
};

/** Copies, and says for a moment whether it could. */
export function CopyButton({ text, label, size = "icon", variant = "quiet", ...rest }: CopyButtonProps) {
  const { t } = useTranslation();
  const [outcome, setOutcome] = useState<"copied" | "refused" | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), 2000);
    return () => clearTimeout(timer);
  }, [outcome]);
  const said = outcome ? t(`copy.${outcome}`) : null;
  return (
    <>
      <Button
        size={size}
        variant={variant}
        aria-label={label}
        title={said ?? label}
        onClick={async () => {
          try {
            await navigator.clipboard.writeText(await text());
            setOutcome("copied");
          } catch {
            setOutcome("refused");
          }
        }}
        {...rest}
      >
        {outcome === "copied" ? (
          <Check aria-hidden className="size-3.5 text-success" />
        ) : (
          <Copy aria-hidden className="size-3.5 text-muted-foreground" />
        )}
      </Button>
      <span role="status" className="sr-only">
        {said}
      </span>
    </>
  );
}

import { type ComponentProps, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { readArguments } from "@/lib/arguments";
import { cn } from "@/lib/cn";
import { VisibleInline, VisibleText } from "./visible-text";

type ArgumentsProps = ComponentProps<"dl"> & { json: string };

/** From this many characters on, the length is said beside the name. */
const LONG = 500;

/** Every argument of a call, in full. */
export function Arguments({ json, className, ...rest }: ArgumentsProps) {
  const { t, i18n } = useTranslation();
  const [secrets, setSecrets] = useState(false);
  const entries = readArguments(json, secrets);
  if (!entries) return <VisibleText text={json} tabIndex={0} />;
  if (entries.length === 0) return <p className="text-xs text-muted-foreground">{t("tool.noArguments")}</p>;
  return (
    <div className={cn("flex flex-col gap-1.5", className)}>
      <dl className="flex flex-col gap-1.5" {...rest}>
        {entries.map(({ name, value }) => (
          <div key={name} className="flex flex-col gap-0.5">
            <dt className="font-mono text-xs text-muted-foreground">
              <VisibleInline text={name} />
              {value.length > LONG ? (
                <span className="ml-2 tabular-nums">
                  {t("tool.characters", {
                    count: value.length,
                    shown: value.length.toLocaleString(i18n.language),
                  })}
                </span>
              ) : null}
            </dt>
            <dd className="rounded-sm bg-muted px-2 py-1">
              <VisibleText text={value} tabIndex={value.length > LONG ? 0 : undefined} />
            </dd>
          </div>
        ))}
      </dl>
      {secrets || entries.some(({ masked }) => masked) ? (
        <Button
          size="sm"
          variant="quiet"
          className="self-start"
          aria-pressed={secrets}
          onClick={() => setSecrets(!secrets)}
        >
          {t(secrets ? "tool.hideSecrets" : "tool.showSecrets")}
        </Button>
      ) : null}
    </div>
  );
}

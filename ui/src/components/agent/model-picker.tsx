import { Command } from "cmdk";
import { Check, ChevronsUpDown } from "lucide-react";
import { Popover } from "radix-ui";
import { type ComponentProps, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Model } from "@/api/types";
import { cn } from "@/lib/cn";
import { foundModels, handleOf } from "@/lib/model-name";
import { ModelFacts } from "./model-facts";

/** Rows shown at once: a provider may list several hundred, and who looks for one types. */
const SHOWN = 100;

type ModelPickerProps = Omit<ComponentProps<"button">, "value" | "onChange" | "type"> & {
  models: readonly Model[];
  /** A handle; empty for none. One that is not among the models stays: its server may be away. */
  value: string;
  onChange: (handle: string) => void;
  /** What no model means here; left out, one has to be chosen. */
  none?: string;
};

/** Chooses a model by typing parts of its name, with what is known of each. */
export function ModelPicker({ models, value, onChange, none, className, ...rest }: ModelPickerProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const list = useId();
  const chosen = models.find((model) => handleOf(model) === value);
  const choose = (handle: string) => {
    onChange(handle);
    setOpen(false);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen} modal>
      <Popover.Trigger asChild>
        <button
          type="button"
          role="combobox"
          aria-expanded={open}
          aria-controls={list}
          aria-haspopup="listbox"
          className={cn(
            "flex h-8 w-full items-center gap-2 rounded-md border border-input bg-card px-2.5 text-left disabled:opacity-60",
            className,
          )}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              setOpen(true);
            }
          }}
          {...rest}
        >
          <span className={cn("min-w-0 shrink-0 truncate", value === "" && "text-muted-foreground")}>
            {value === "" ? (none ?? t("models.choose")) : value}
          </span>
          {chosen ? (
            <ModelFacts model={chosen} className="min-w-0 flex-1 text-right" />
          ) : (
            <span className="flex-1" />
          )}
          <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-muted-foreground" />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          className="z-50 w-[max(var(--radix-popover-trigger-width),min(30rem,calc(100vw-2rem)))] animate-appear overflow-hidden rounded-md border bg-card shadow-xl"
        >
          <Choices models={models} value={value} none={none} id={list} onChoose={choose} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

type ChoicesProps = Pick<ModelPickerProps, "models" | "value" | "none"> & {
  id: string;
  onChoose: (handle: string) => void;
};

function Choices({ models, value, none, id, onChoose }: ChoicesProps) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const found = foundModels(models, text);
  const away = value !== "" && !models.some((model) => handleOf(model) === value);
  const shown = found.slice(0, SHOWN);
  return (
    <Command shouldFilter={false} loop label={t("models.search")} defaultValue={value}>
      <Command.Input
        value={text}
        onValueChange={setText}
        placeholder={t("models.search")}
        className="h-9 w-full border-b bg-transparent px-2.5 outline-none placeholder:text-muted-foreground"
      />
      <Command.List id={id} label={t("models.reachable")} className="max-h-72 overflow-y-auto p-1">
        <Command.Empty className="px-2 py-4 text-center text-muted-foreground">
          {t("models.noneFound")}
        </Command.Empty>
        {none !== undefined && text === "" ? (
          <Row handle="" chosen={value === ""} onChoose={onChoose}>
            <span className="flex-1">{none}</span>
          </Row>
        ) : null}
        {away && text === "" ? (
          <Row handle={value} chosen onChoose={onChoose}>
            <span className="flex-1">{t("agents.modelAway", { model: value })}</span>
          </Row>
        ) : null}
        {byProvider(shown).map(([provider, members]) => (
          <Command.Group
            key={provider}
            heading={provider}
            className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted-foreground"
          >
            {members.map((model) => {
              const handle = handleOf(model);
              return (
                <Row key={handle} handle={handle} chosen={handle === value} onChoose={onChoose}>
                  <span className="shrink-0">{handle.slice(provider.length + 1) || handle}</span>
                  <ModelFacts model={model} className="min-w-0 flex-1 text-right" />
                </Row>
              );
            })}
          </Command.Group>
        ))}
      </Command.List>
      {found.length > shown.length ? (
        <p className="border-t px-2.5 py-1.5 text-xs text-muted-foreground">
          {t("models.moreFound", { count: found.length - shown.length })}
        </p>
      ) : null}
    </Command>
  );
}

type RowProps = {
  handle: string;
  chosen: boolean;
  onChoose: (handle: string) => void;
  children: ComponentProps<"span">["children"];
};

function Row({ handle, chosen, onChoose, children }: RowProps) {
  return (
    <Command.Item
      value={handle || "none"}
      className="flex cursor-pointer items-center gap-2 rounded-sm px-2 py-1.5 data-[selected=true]:bg-accent-soft"
      onSelect={() => onChoose(handle)}
    >
      <Check aria-hidden className={cn("size-3.5 shrink-0", chosen ? "text-accent" : "invisible")} />
      {children}
    </Command.Item>
  );
}

function byProvider(models: readonly Model[]): Array<[provider: string, models: Model[]]> {
  const groups = new Map<string, Model[]>();
  for (const model of models) {
    const provider = handleOf(model).split("/")[0] ?? "";
    groups.set(provider, [...(groups.get(provider) ?? []), model]);
  }
  return [...groups];
}

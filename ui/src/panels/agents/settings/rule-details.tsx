import { Plus, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/field";
import type { ToolRule } from "./draft";
import { FilledArguments } from "./filled-arguments";

type DetailsProps<R extends ToolRule = ToolRule> = {
  rule: R;
  names: readonly string[];
  onChange: (rule: ToolRule) => void;
};
type Of<T extends ToolRule["type"]> = Extract<ToolRule, { type: T }>;

/** What a rule says besides its tool and its type. */
export function RuleDetails({ rule, names, onChange }: DetailsProps) {
  const { t } = useTranslation();
  switch (rule.type) {
    case "run_first":
      return (
        <FilledArguments
          label={t("agentSettings.rules.filledIn")}
          value={rule.args ?? null}
          onChange={(args) => onChange({ ...rule, args })}
        />
      );
    case "max_count_per_step":
      return <Count rule={rule} names={names} onChange={onChange} />;
    case "constrain_child_tools":
      return (
        <>
          <Children rule={rule} names={names} onChange={(next) => onChange(withoutStrangers(next))} />
          {rule.children.map((child) => (
            <FilledArguments
              key={child}
              label={t("agentSettings.rules.filledInOf", { tool: child })}
              value={rule.child_arg_nodes?.find(({ name }) => name === child)?.args ?? null}
              onChange={(args) => onChange({ ...rule, child_arg_nodes: filled(rule, child, args) })}
            />
          ))}
        </>
      );
    case "parent_last_tool":
      return <Children rule={rule} names={names} onChange={onChange} />;
    case "conditional":
      return <Outcomes rule={rule} names={names} onChange={onChange} />;
    case "requires_approval":
    case "exit_loop":
    case "continue_loop":
    case "required_before_exit":
      return null;
    default:
      rule satisfies never;
      return null;
  }
}

function Count({ rule, onChange }: DetailsProps<Of<"max_count_per_step">>) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div className="flex items-center gap-2 text-xs">
      <label htmlFor={id}>{t("agentSettings.rules.count")}</label>
      <Input
        id={id}
        type="number"
        min={1}
        className="h-7 w-20 py-0"
        value={rule.max_count_limit}
        onChange={(event) => {
          const count = event.target.valueAsNumber;
          if (Number.isInteger(count) && count > 0) onChange({ ...rule, max_count_limit: count });
        }}
      />
    </div>
  );
}

function Children<R extends Of<"constrain_child_tools"> | Of<"parent_last_tool">>({
  rule,
  names,
  onChange,
}: {
  rule: R;
  names: readonly string[];
  onChange: (rule: R) => void;
}) {
  const { t } = useTranslation();
  return (
    <fieldset className="flex flex-wrap gap-x-3 gap-y-1 text-xs">
      <legend className="mb-1 text-muted-foreground">{t("agentSettings.rules.children")}</legend>
      {[...new Set([...names, ...rule.children])].map((name) => (
        <label key={name} className="flex items-center gap-1 font-mono">
          <input
            type="checkbox"
            className="accent-accent"
            checked={rule.children.includes(name)}
            onChange={(event) =>
              onChange({
                ...rule,
                children: event.target.checked
                  ? [...rule.children, name]
                  : rule.children.filter((child) => child !== name),
              })
            }
          />
          {name}
        </label>
      ))}
    </fieldset>
  );
}

/** Arguments of a tool that may not follow any more mean nothing, and the server refuses them. */
function withoutStrangers(rule: Of<"constrain_child_tools">): ToolRule {
  const nodes = rule.child_arg_nodes?.filter(({ name }) => rule.children.includes(name)) ?? [];
  return { ...rule, child_arg_nodes: nodes.length > 0 ? nodes : null };
}

function filled(rule: Of<"constrain_child_tools">, child: string, args: Record<string, unknown> | null) {
  const others = rule.child_arg_nodes?.filter(({ name }) => name !== child) ?? [];
  const nodes = args === null ? others : [...others, { name: child, args: args as never }];
  return nodes.length > 0 ? nodes : null;
}

/** Which tool follows by what the rule's tool returned. */
function Outcomes({ rule, names, onChange }: DetailsProps<Of<"conditional">>) {
  const { t } = useTranslation();
  // Two rows may say the same while one is being written; the rule itself cannot hold that.
  const [rows, setRows] = useState(() =>
    Object.entries(rule.child_output_mapping).map(([output, tool]) => ({ output, tool: String(tool) })),
  );
  const put = (next: typeof rows) => {
    setRows(next);
    onChange({
      ...rule,
      child_output_mapping: Object.fromEntries(next.map(({ output, tool }) => [output, tool])) as never,
    });
  };
  const tools = [...new Set([...names, ...rows.map(({ tool }) => tool)])];
  const taken = (at: number) => rows.findIndex(({ output }) => output === rows[at]?.output) < at;
  return (
    <div className="flex flex-col gap-2 text-xs">
      <ul aria-label={t("agentSettings.rules.types.conditional")} className="flex flex-col gap-1.5">
        {rows.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows are edited in place
          <li key={at} className="flex flex-wrap items-center gap-2">
            <span>{t("agentSettings.rules.ifReturns")}</span>
            <Input
              required
              aria-label={t("agentSettings.rules.output")}
              aria-invalid={taken(at) || undefined}
              // Of two that say the same the rule would keep one, and the other would be lost unseen.
              ref={(element) =>
                element?.setCustomValidity(taken(at) ? t("agentSettings.rules.outputTaken") : "")
              }
              className="h-7 w-40 py-0 font-mono"
              value={row.output}
              onChange={(event) => put(rows.with(at, { ...row, output: event.target.value }))}
            />
            <span>{t("agentSettings.rules.then")}</span>
            <Names
              label={t("agentSettings.rules.follows")}
              names={tools}
              value={row.tool}
              onChange={(tool) => put(rows.with(at, { ...row, tool }))}
            />
            <Button
              size="icon"
              variant="quiet"
              disabled={rows.length === 1}
              aria-label={t("agentSettings.rules.removeOutcome", { output: row.output })}
              title={t("agentSettings.rules.removeOutcome", { output: row.output })}
              onClick={() => put(rows.filter((_, index) => index !== at))}
            >
              <Trash2 aria-hidden className="size-3.5" />
            </Button>
            {taken(at) ? (
              <p className="basis-full text-danger">{t("agentSettings.rules.outputTaken")}</p>
            ) : null}
          </li>
        ))}
      </ul>
      <Button
        size="sm"
        className="self-start"
        onClick={() => put([...rows, { output: "", tool: names[0] ?? rule.tool_name }])}
      >
        <Plus aria-hidden className="size-3.5" />
        {t("agentSettings.rules.addOutcome")}
      </Button>
      <div className="flex flex-wrap items-center gap-2">
        <span>{t("agentSettings.rules.otherwise")}</span>
        <Names
          label={t("agentSettings.rules.otherwise")}
          names={[...new Set([...names, ...(rule.default_child ? [rule.default_child] : [])])]}
          value={rule.default_child ?? (rule.require_output_mapping ? NOTHING : ANY)}
          onChange={(chosen) =>
            onChange({
              ...rule,
              default_child: chosen === ANY || chosen === NOTHING ? null : chosen,
              require_output_mapping: chosen === NOTHING,
            })
          }
        >
          <option value={ANY}>{t("agentSettings.rules.anyTool")}</option>
          <option value={NOTHING}>{t("agentSettings.rules.noTool")}</option>
        </Names>
      </div>
    </div>
  );
}

/** No tool has such a name. */
const ANY = "*";
const NOTHING = "-";

type NamesProps = {
  label: string;
  names: readonly string[];
  value: string;
  onChange: (name: string) => void;
  children?: React.ReactNode;
};

function Names({ label, names, value, onChange, children }: NamesProps) {
  return (
    <Select
      aria-label={label}
      className="h-7 w-auto max-w-56"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {children}
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </Select>
  );
}

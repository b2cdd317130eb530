import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import type { Agent } from "@/api/types";
import { RULE_TYPES, type ToolRule } from "./draft";
import { RulesSection } from "./rules";

const tools = ["look", "send", "stop"].map((name, at) => ({ id: `tool-${at}`, name }));

type FormProps = { rules: ToolRule[]; onRules: (rules: ToolRule[]) => void };

function Form({ rules, onRules }: FormProps) {
  const [tool_rules, setRules] = useState(rules);
  return (
    <form aria-label="form">
      <RulesSection
        agent={{ tools, tool_rules } as unknown as Agent}
        change={(change) => {
          const next = change.tool_rules as ToolRule[];
          onRules(next);
          setRules(next);
        }}
      />
    </form>
  );
}

/** The section over an agent with these rules; what would be saved is in `saved`. */
function show(rules: ToolRule[] = []) {
  const saved = { rules };
  const onRules = (next: ToolRule[]) => {
    saved.rules = next;
  };
  render(<Form rules={rules} onRules={onRules} />);
  return saved;
}

const add = () => userEvent.click(screen.getByRole("button", { name: "Add a rule" }));
const type = (name: string) => userEvent.selectOptions(screen.getByRole("combobox", { name: "Rule" }), name);

describe("tool rules", () => {
  it("of every type can be chosen, each with what it needs", async () => {
    const saved = show();
    await add();
    for (const each of RULE_TYPES) {
      await type(each);
      expect(saved.rules).toHaveLength(1);
      expect(saved.rules[0]).toMatchObject({ type: each, tool_name: "look" });
    }
  });

  it("can say what follows by what a tool returned", async () => {
    const saved = show();
    await add();
    await type("conditional");
    const form = screen.getByRole("form", { name: "form" }) as HTMLFormElement;
    expect(form.checkValidity()).toBe(false);
    await userEvent.type(screen.getByRole("textbox", { name: "Result" }), "yes");
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Tool that follows" }), "send");
    await userEvent.click(screen.getByRole("button", { name: "Add a case" }));
    const [, second] = screen.getAllByRole("textbox", { name: "Result" });
    await userEvent.type(second as HTMLElement, "yes");
    expect(screen.getByText(/stands above already/)).toBeVisible();
    expect(form.checkValidity()).toBe(false);
    await userEvent.clear(second as HTMLElement);
    await userEvent.type(second as HTMLElement, "no");
    expect(saved.rules[0]).toMatchObject({
      child_output_mapping: { yes: "send", no: "look" },
    });
    const otherwise = screen.getByRole("combobox", { name: "Otherwise" });
    await userEvent.selectOptions(otherwise, "no tool");
    expect(saved.rules[0]).toMatchObject({ default_child: null, require_output_mapping: true });
    await userEvent.selectOptions(otherwise, "stop");
    expect(saved.rules[0]).toMatchObject({ default_child: "stop", require_output_mapping: false });
    await userEvent.click(screen.getByRole("button", { name: "Remove the case no" }));
    expect(saved.rules[0]).toMatchObject({ child_output_mapping: { yes: "send" } });
    expect(form.checkValidity()).toBe(true);
  });

  it("can fill in arguments, and do not keep what is no JSON or belongs to nothing", async () => {
    const saved = show([{ type: "constrain_child_tools", tool_name: "look", children: ["send"] }]);
    const form = screen.getByRole("form", { name: "form" }) as HTMLFormElement;
    const field = screen.getByRole("textbox", { name: /filled in for send/ });
    await userEvent.click(field);
    await userEvent.paste('{"to": "Ada"}');
    expect(saved.rules[0]).toMatchObject({ child_arg_nodes: [{ name: "send", args: { to: "Ada" } }] });
    await userEvent.type(field, "x");
    expect(form.checkValidity()).toBe(false);
    expect(saved.rules[0]).toMatchObject({ child_arg_nodes: [{ name: "send", args: { to: "Ada" } }] });
    const which = screen.getByRole("group", { name: "Which tools" });
    await userEvent.click(within(which).getByRole("checkbox", { name: "send" }));
    expect(saved.rules[0]).toMatchObject({ children: [], child_arg_nodes: null });
  });

  it("keep what this window does not show", async () => {
    const saved = show([
      { type: "max_count_per_step", tool_name: "look", max_count_limit: 2, prompt_template: "kept" },
    ]);
    await userEvent.clear(screen.getByRole("spinbutton"));
    await userEvent.type(screen.getByRole("spinbutton"), "3");
    expect(saved.rules[0]).toMatchObject({ prompt_template: "kept" });
  });
});

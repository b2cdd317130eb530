// What can be done from anywhere: in the palette by name, by key without it.
import {
  Cpu,
  Hammer,
  Inbox,
  MessageSquarePlus,
  PanelRight,
  Plus,
  Search,
  Settings,
  Settings2,
  TextCursorInput,
} from "lucide-react";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type PaletteCommand, useAgentDialogs, useCreateConversation } from "@/panels";
import { useLayout } from "./layout";
import { useNarrow } from "./use-narrow";

/** A command and the key that does the same: `mod` is Control, or Command on a Mac. */
export type Command = PaletteCommand & { key?: string };

const MAC = typeof navigator !== "undefined" && /Mac/.test(navigator.platform);

export function useCommands(openPalette: () => void): Command[] {
  const { t } = useTranslation();
  const { agentId, goTo, selectAgent, inspector, setInspector, drawer, setDrawer } = useLayout();
  const narrow = useNarrow(900);
  const show = useAgentDialogs((dialogs) => dialogs.show);
  const { mutate: converse } = useCreateConversation(agentId ?? "");
  return useMemo(() => {
    const ofAgent: Command[] = agentId
      ? [
          {
            id: "conversation.new",
            label: t("conversations.create"),
            icon: MessageSquarePlus,
            key: "alt+n",
            run: () => converse(undefined, { onSuccess: ({ id }) => selectAgent(agentId, id) }),
          },
          {
            id: "write",
            label: t("command.write"),
            icon: TextCursorInput,
            key: "mod+l",
            run: focusComposer,
          },
          {
            id: "agent.settings",
            label: t("command.agentSettings"),
            icon: Settings2,
            key: "mod+shift+,",
            run: () => show({ kind: "settings", agentId }),
          },
          {
            id: "inspector.toggle",
            label: t("command.inspector"),
            icon: PanelRight,
            key: "mod+j",
            run: () => (narrow ? setDrawer(!drawer) : setInspector(!inspector)),
          },
        ]
      : [];
    const everywhere: Command[] = [
      {
        id: "palette",
        label: t("search.heading"),
        icon: Search,
        key: "mod+k",
        run: openPalette,
      },
      {
        id: "agent.new",
        label: t("agents.create"),
        icon: Plus,
        key: "alt+shift+n",
        run: () => show({ kind: "create" }),
      },
      { id: "place.approvals", label: t("rail.approvals"), icon: Inbox, run: () => goTo("approvals") },
      { id: "place.workshop", label: t("rail.workshop"), icon: Hammer, run: () => goTo("workshop") },
      { id: "place.models", label: t("rail.models"), icon: Cpu, run: () => goTo("models") },
      {
        id: "place.settings",
        label: t("rail.settings"),
        icon: Settings,
        key: "mod+,",
        run: () => goTo("settings"),
      },
    ];
    return [...ofAgent, ...everywhere].map((command) => ({
      ...command,
      ...(command.key ? { keys: readable(command.key) } : {}),
    }));
  }, [
    t,
    agentId,
    converse,
    selectAgent,
    show,
    narrow,
    inspector,
    setInspector,
    drawer,
    setDrawer,
    goTo,
    openPalette,
  ]);
}

/** Runs the command whose key is pressed. Keys with a modifier work while one types as well. */
export function useCommandKeys(commands: readonly Command[]): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const pressed = keyOf(event);
      const command = commands.find(({ key }) => key === pressed);
      if (!command) return;
      event.preventDefault();
      command.run();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [commands]);
}

/** A pressed key in the words of `Command.key`. */
export function keyOf(
  event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">,
  mac: boolean = MAC,
): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase();
  // With Alt or Shift the character is another one on many keyboards: the place of the key decides.
  const key = letter ?? (event.code === "Comma" ? "," : event.key.toLowerCase());
  const mod = mac ? event.metaKey : event.ctrlKey;
  return [mod && "mod", event.altKey && "alt", event.shiftKey && "shift", key].filter(Boolean).join("+");
}

export function readable(key: string): string {
  const names: Record<string, string> = MAC
    ? { mod: "⌘", alt: "⌥", shift: "⇧" }
    : { mod: "Ctrl", alt: "Alt", shift: "Shift" };
  return key
    .split("+")
    .map((part) => names[part] ?? part.toUpperCase())
    .join(MAC ? "" : "+");
}

function focusComposer(): void {
  document.querySelector<HTMLTextAreaElement>("[data-composer]")?.focus();
}

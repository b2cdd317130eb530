// What can be done from anywhere: in the palette by name, by key without it.
import type { TFunction } from "i18next";
import {
  Cpu,
  Hammer,
  Inbox,
  Keyboard,
  MessageSquarePlus,
  PanelRight,
  Plus,
  Search,
  Settings,
  Settings2,
  Square,
  TextCursorInput,
} from "lucide-react";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useLack } from "@/api/use-lack";
import { tellFailure } from "@/lib/told-failure";
import { type PaletteCommand, useAgentDialogs, useCreateConversation } from "@/panels";
import { useLayout } from "./layout";
import { openPalette, useOverlays } from "./overlays";
import { useNarrow } from "./use-narrow";

export type Command = PaletteCommand & {
  /** What does the same: `mod` is Control, or Command on a Mac. */
  key?: string;
  /** Whether there is anything to do it to, asked when it is wanted. */
  when?: () => boolean;
};

const MAC = typeof navigator !== "undefined" && /Mac/.test(navigator.platform);

export function useCommands(): Command[] {
  const { t } = useTranslation();
  const { agentId, goTo, selectAgent, inspector, setInspector, drawer, setDrawer } = useLayout();
  const narrow = useNarrow(900);
  const show = useAgentDialogs((dialogs) => dialogs.show);
  const showOverlay = useOverlays((overlays) => overlays.show);
  const { mutate: converse } = useCreateConversation(agentId ?? "");
  const conversationsLack = useLack("conversations");
  return useMemo(() => {
    const ofAgent: Command[] = agentId
      ? [
          {
            id: "conversation.new",
            label: t("conversations.create"),
            icon: MessageSquarePlus,
            key: "alt+n",
            lack: conversationsLack,
            run: () =>
              converse(undefined, { onSuccess: ({ id }) => selectAgent(agentId, id), onError: tellFailure }),
          },
          {
            id: "write",
            label: t("command.write"),
            icon: TextCursorInput,
            key: "mod+l",
            run: focusComposer,
          },
          {
            id: "run.stop",
            label: t("command.stop"),
            icon: Square,
            key: "esc",
            when: () => stopButton() !== null,
            run: () => stopButton()?.click(),
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
      {
        id: "shortcuts",
        label: t("shortcuts.heading"),
        icon: Keyboard,
        key: "mod+/",
        run: () => showOverlay("shortcuts"),
      },
    ];
    return [...ofAgent, ...everywhere].map((command) => ({
      ...command,
      ...(command.key ? { keys: readable(command.key, t) } : {}),
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
    showOverlay,
    conversationsLack,
  ]);
}

/** Runs the command whose key is pressed. Keys with a modifier work while one types as well. */
export function useCommandKeys(commands: readonly Command[]): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const pressed = keyOf(event);
      const command = commands.find(({ key }) => key === pressed);
      if (!command || command.lack || !(command.when?.() ?? true)) return;
      // In a field Escape means that field.
      if (pressed === "esc" && isField(event.target)) return;
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
  const mod = mac ? event.metaKey : event.ctrlKey;
  // The slash is behind Shift on some keyboards.
  if (event.key === "/" && mod && !event.altKey) return "mod+/";
  // With Alt or Shift the character is another one on many keyboards: the place of the key decides.
  const key = letter ?? (event.code === "Comma" ? "," : (NAMES[event.key] ?? event.key.toLowerCase()));
  return [mod && "mod", event.altKey && "alt", event.shiftKey && "shift", key].filter(Boolean).join("+");
}

const NAMES: Record<string, string> = { Escape: "esc" };

const SIGNS: Record<string, string> = { mod: "⌘", alt: "⌥", shift: "⇧", enter: "↩", esc: "esc" };

/** A key as it stands on the keyboard: a Mac has signs, others have words, which each language has its own of. */
export function readable(key: string, t: TFunction, mac: boolean = MAC): string {
  const name = (part: string) =>
    part in SIGNS ? (mac ? (SIGNS[part] ?? part) : t(`shortcuts.names.${part}`)) : part.toUpperCase();
  return key
    .split("+")
    .map(name)
    .join(mac ? "" : "+");
}

/** The composer's own, while a run is under way that can be stopped. */
function stopButton(): HTMLButtonElement | null {
  return document.querySelector("[data-stop]:not(:disabled):not([aria-disabled])");
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    !target.hasAttribute("data-composer") &&
    (target.isContentEditable || target.matches("input, textarea, select"))
  );
}

function focusComposer(): void {
  document.querySelector<HTMLTextAreaElement>("[data-composer]")?.focus();
}

import { useTranslation } from "react-i18next";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { type Command, readable } from "./commands";

/** Keys that belong to one place and stand with it in the code: the words say what they do there. */
const ELSEWHERE = {
  message: { send: "enter", line: "shift+enter", stop: "esc" },
  approval: { once: "alt+1", more: "alt+2", deny: "alt+3", explain: "alt+4", leave: "esc" },
  block: { save: "mod+enter", cancel: "esc" },
  workshop: { save: "mod+s", run: "mod+enter", leave: "esc" },
  panels: { tabs: "← →", width: "← →" },
} as const;

type ShortcutsProps = { open: boolean; onOpenChange: (open: boolean) => void; commands: readonly Command[] };

/** Every key there is, by where it works. What works everywhere comes from the commands themselves. */
export function Shortcuts({ open, onOpenChange, commands }: ShortcutsProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        heading={t("shortcuts.heading")}
        explanation={t("shortcuts.explanation")}
        className="w-[min(44rem,calc(100vw-2rem))]"
      >
        <section
          aria-label={t("shortcuts.heading")}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls in a low window, from the keyboard as well
          tabIndex={0}
          className="min-h-0 overflow-y-auto"
        >
          <div className="gap-8 sm:columns-2">
            <Keys
              heading={t("shortcuts.everywhere")}
              rows={commands.flatMap(({ id, label, key }) => (key ? [{ id, label, key }] : []))}
            />
            {Object.entries(ELSEWHERE).map(([place, keys]) => (
              <Keys
                key={place}
                heading={t(`shortcuts.in.${place}`)}
                rows={Object.entries(keys).map(([id, key]) => ({
                  id,
                  label: t(`shortcuts.${place}.${id}`),
                  key,
                }))}
              />
            ))}
          </div>
        </section>
      </DialogContent>
    </Dialog>
  );
}

type KeysProps = { heading: string; rows: readonly { id: string; label: string; key: string }[] };

function Keys({ heading, rows }: KeysProps) {
  const { t } = useTranslation();
  return (
    <section className="break-inside-avoid pb-5">
      <h3 className="pb-1 text-xs font-semibold text-muted-foreground">{heading}</h3>
      <dl>
        {rows.map(({ id, label, key }) => (
          <div key={id} className="flex items-baseline gap-4 border-b py-1 last:border-b-0">
            <dt className="min-w-0 flex-1">{label}</dt>
            <dd>
              <kbd className="font-sans text-xs whitespace-nowrap text-muted-foreground">
                {readable(key, t)}
              </kbd>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

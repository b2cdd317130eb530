import { Ellipsis, Link } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Tool } from "@/api/types";
import { Button } from "@/components/ui/button";
import { CodeEditor } from "@/components/ui/code";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Input } from "@/components/ui/field";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Problem } from "@/components/ui/problem";
import { Spinner } from "@/components/ui/spinner";
import { Switch } from "@/components/ui/switch";
import { useFailure } from "@/lib/use-failure";
import { useToolAbout } from "@/lib/use-tool-about";
import {
  useAgentTools,
  useAllTools,
  useAskBefore,
  useAskedFor,
  useAttachTool,
  useClientTools,
  useDetachTool,
} from "./queries";

/** The tools that run in the agent's server: attach, detach, ask before each call, read the source. */
export function AttachedTools({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const aboutOf = useToolAbout();
  const failure = useFailure();
  const { data, error, isPending } = useAgentTools(agentId);
  const asked = useAskedFor(agentId);
  const ask = useAskBefore(agentId);
  const detach = useDetachTool(agentId);
  // What this machine offers under the same name is what the model is told of.
  const offered = new Set(useClientTools(agentId).data?.tools.map(({ name }) => name));
  const [attaching, setAttaching] = useState(false);
  const [shown, setShown] = useState<Tool | null>(null);
  const problem = ask.error ?? detach.error;
  return (
    <section aria-labelledby="own-tools" className="flex flex-col gap-2">
      <h2 id="own-tools" className="font-semibold">
        {t("tools.attached")}
      </h2>
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      {problem ? <Problem {...failure.of(problem)} /> : null}
      {data?.length === 0 ? <p className="text-muted-foreground">{t("tools.none")}</p> : null}
      <ul className="flex flex-col gap-1.5">
        {data?.map((tool) => {
          const name = tool.name ?? "";
          return (
            <li
              key={tool.id}
              aria-label={name}
              className="flex flex-col gap-1 rounded-md border bg-card px-2.5 py-1.5"
            >
              <div className="flex items-center gap-1">
                <p className="min-w-0 flex-1 truncate font-mono text-xs font-semibold">{name}</p>
                <Menu>
                  <MenuTrigger asChild>
                    <Button size="icon" variant="quiet" aria-label={t("tools.more", { name })}>
                      <Ellipsis aria-hidden className="size-3.5" />
                    </Button>
                  </MenuTrigger>
                  <MenuContent>
                    <MenuItem onSelect={() => setShown(tool)}>{t("tools.source")}</MenuItem>
                    <MenuItem onSelect={() => detach.mutate(tool.id)}>{t("tools.detach")}</MenuItem>
                  </MenuContent>
                </Menu>
              </div>
              <p className="line-clamp-2 text-xs text-muted-foreground empty:hidden">
                {aboutOf(tool, tool.tool_type)}
              </p>
              {offered.has(name) ? (
                <p className="text-xs text-waiting-foreground">{t("tools.shadowed")}</p>
              ) : null}
              {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is inside */}
              <label className="flex items-center gap-2 text-xs">
                <Switch
                  checked={asked.has(name)}
                  disabled={ask.isPending}
                  aria-label={t("tools.askNamed", { name })}
                  onCheckedChange={(on) => ask.mutate({ tool: name, ask: on })}
                />
                {t("tools.ask")}
              </label>
            </li>
          );
        })}
      </ul>
      <Button className="self-start" onClick={() => setAttaching(true)}>
        <Link aria-hidden className="size-3.5" />
        {t("tools.attach")}
      </Button>
      <Dialog open={attaching} onOpenChange={setAttaching}>
        <DialogContent heading={t("tools.attach")} explanation={t("tools.attachExplanation")}>
          <AttachChoice
            agentId={agentId}
            attached={(data ?? []).map(({ id }) => id)}
            onDone={() => setAttaching(false)}
          />
        </DialogContent>
      </Dialog>
      <Dialog open={shown !== null} onOpenChange={(open) => !open && setShown(null)}>
        <DialogContent
          heading={<span className="font-mono">{shown?.name}</span>}
          explanation={shown?.description ?? undefined}
          className="w-[min(56rem,calc(100vw-2rem))]"
        >
          {shown ? <SourceOf tool={shown} /> : null}
        </DialogContent>
      </Dialog>
    </section>
  );
}

/** Source and schema as they are; they are written in the workshop. */
function SourceOf({ tool }: { tool: Tool }) {
  const { t } = useTranslation();
  return (
    <>
      {tool.source_code ? (
        <CodeEditor
          label={t("tools.source")}
          value={tool.source_code}
          language={tool.source_type === "typescript" ? "typescript" : "python"}
          readOnly
        />
      ) : (
        <p className="text-muted-foreground">{t("tools.noSource")}</p>
      )}
      <h3 className="font-semibold">{t("tools.schema")}</h3>
      <CodeEditor
        label={t("tools.schema")}
        value={JSON.stringify(tool.json_schema ?? null, null, 2)}
        language="json"
        readOnly
      />
    </>
  );
}

type ChoiceProps = { agentId: string; attached: readonly string[]; onDone: () => void };

function AttachChoice({ agentId, attached, onDone }: ChoiceProps) {
  const { t } = useTranslation();
  const aboutOf = useToolAbout();
  const failure = useFailure();
  const { data, error, isPending } = useAllTools(true);
  const attach = useAttachTool(agentId);
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const found = (data ?? []).filter(
    ({ id, name, description, tags }) =>
      !attached.includes(id) &&
      [name, description, ...tags].some((text) => text?.toLowerCase().includes(wanted)),
  );
  return (
    <div className="flex min-h-0 flex-col gap-3">
      <Input
        type="search"
        aria-label={t("tools.search")}
        placeholder={t("tools.search")}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {isPending ? <Spinner aria-label={t("common.loading")} /> : null}
      {error ? <Problem {...failure.of(error)} /> : null}
      {attach.error ? <Problem {...failure.of(attach.error)} /> : null}
      {data && found.length === 0 ? <p className="text-muted-foreground">{t("tools.noOther")}</p> : null}
      <ul className="flex max-h-96 flex-col gap-1.5 overflow-y-auto">
        {found.map((tool) => (
          <li
            key={tool.id}
            className="flex items-center gap-3 rounded-md border bg-card px-3 py-2 [content-visibility:auto]"
          >
            <div className="min-w-0 flex-1">
              <p className="truncate font-mono text-xs font-semibold">{tool.name}</p>
              <p className="line-clamp-2 text-xs text-muted-foreground">{aboutOf(tool, tool.tool_type)}</p>
            </div>
            <Button
              size="sm"
              disabled={attach.isPending}
              aria-label={t("tools.attachNamed", { name: tool.name ?? "" })}
              onClick={() => attach.mutate(tool.id, { onSuccess: onDone })}
            >
              {t("tools.attachSubmit")}
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

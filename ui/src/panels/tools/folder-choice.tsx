import { FolderOpen, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import type { WorkFolder } from "@/api/workbench";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useChooseFolders } from "./queries";

/** Which folders this agent's calls may reach. A path can always be written; a dialog where there is one. */
export function FolderChoice({ agentId, folders }: { agentId: string; folders: readonly WorkFolder[] }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { transport } = useApi();
  const choose = useChooseFolders(agentId);
  const [path, setPath] = useState("");
  const add = (folder: string) =>
    choose.mutate([...folders, { path: folder, read_only: false }], { onSuccess: () => setPath("") });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add(path.trim());
  };
  const pick = async () => {
    const picked = await transport.pickFolder();
    if (picked !== null) add(picked);
  };
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <ul className="flex flex-col gap-1 empty:hidden">
        {folders.map((folder) => (
          <li
            key={folder.path}
            className="flex items-center gap-2 rounded-md border bg-card py-1 pr-1 pl-2.5"
          >
            <span className="min-w-0 flex-1 font-mono text-xs break-all">{folder.path}</span>
            <label className="flex items-center gap-1 text-xs">
              <input
                type="checkbox"
                className="accent-(--accent)"
                checked={folder.read_only}
                disabled={choose.isPending}
                onChange={(event) =>
                  choose.mutate(
                    folders.map((each) =>
                      each.path === folder.path ? { ...each, read_only: event.target.checked } : each,
                    ),
                  )
                }
              />
              {t("tools.readOnly")}
            </label>
            <Button
              size="icon"
              variant="quiet"
              disabled={choose.isPending}
              aria-label={t("tools.folderRemove")}
              title={t("tools.folderRemove")}
              onClick={() => choose.mutate(folders.filter((each) => each.path !== folder.path))}
            >
              <X aria-hidden className="size-3.5" />
            </Button>
          </li>
        ))}
      </ul>
      <Field label={t("tools.folder")} hint={t(folders.length > 0 ? "tools.folderSet" : "tools.folderUnset")}>
        {(control) => (
          <Input
            {...control}
            className="font-mono text-xs"
            spellCheck={false}
            value={path}
            onChange={(event) => setPath(event.target.value)}
          />
        )}
      </Field>
      {choose.error ? <Problem {...failure.of(choose.error)} /> : null}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" size="sm" disabled={choose.isPending || !path.trim()}>
          {t("tools.folderSave")}
        </Button>
        {transport.capabilities.pickFolder ? (
          <Button size="sm" disabled={choose.isPending} onClick={() => void pick()}>
            <FolderOpen aria-hidden className="size-3.5" />
            {t("tools.folderPick")}
          </Button>
        ) : null}
      </div>
    </form>
  );
}

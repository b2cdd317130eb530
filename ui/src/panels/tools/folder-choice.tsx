import { FolderOpen } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "@/api/context";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Problem } from "@/components/ui/problem";
import { useFailure } from "@/lib/use-failure";
import { useChooseFolder } from "./queries";

/** Which folder this agent may ask to read. A path can always be written; a dialog where there is one. */
export function FolderChoice({ agentId, folder }: { agentId: string; folder: string | null }) {
  const { t } = useTranslation();
  const failure = useFailure();
  const { transport } = useApi();
  const choose = useChooseFolder(agentId);
  const [path, setPath] = useState(folder ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    choose.mutate(path.trim());
  };
  const pick = async () => {
    const picked = await transport.pickFolder();
    if (picked === null) return;
    setPath(picked);
    choose.mutate(picked);
  };
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <Field label={t("tools.folder")} hint={t(folder ? "tools.folderSet" : "tools.folderUnset")}>
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
        <Button type="submit" size="sm" disabled={choose.isPending || !path.trim() || path.trim() === folder}>
          {t("tools.folderSave")}
        </Button>
        {transport.capabilities.pickFolder ? (
          <Button size="sm" disabled={choose.isPending} onClick={() => void pick()}>
            <FolderOpen aria-hidden className="size-3.5" />
            {t("tools.folderPick")}
          </Button>
        ) : null}
        {folder ? (
          <Button size="sm" variant="quiet" disabled={choose.isPending} onClick={() => choose.mutate(null)}>
            {t("tools.folderRemove")}
          </Button>
        ) : null}
      </div>
    </form>
  );
}

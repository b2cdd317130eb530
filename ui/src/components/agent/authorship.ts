import type { TFunction } from "i18next";
import type { BlockVersion } from "@/api/workbench";

/** Who made a version of a block, in words; the first one was not an edit. */
export function authorship(version: BlockVersion, t: TFunction): string {
  const name = version.actor_name ?? t("block.anAgent");
  return version.version === 1
    ? t(`block.createdBy.${version.actor}`, { name })
    : t(`block.editedBy.${version.actor}`, { name });
}

import { useTranslation } from "react-i18next";

type Described = { name?: string | null; description?: string | null };

/** Of tools that people made or brought along. */
const OWN = new Set(["custom", "external_mcp", "own"]);

/**
 * What a tool does, for people. What a tool says of itself is written for models; those that come with Loci have
 * words here. `kind` is a server tool's type, or where one of this machine is from.
 */
export function useToolAbout(): (tool: Described, kind: string | undefined) => string | null {
  const { t } = useTranslation();
  return ({ name, description }, kind) => {
    const said = description || null;
    return !name || OWN.has(kind ?? "custom") ? said : t(`tools.about.${name}`, { defaultValue: "" }) || said;
  };
}

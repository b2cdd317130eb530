// A tool being written: from the stored one and back. Pure, so that nothing is lost on the way unseen.
import type { Tool } from "@/api/types";
import type { OwnTool } from "@/api/workbench";
import type { CodeProblem } from "@/components/ui/code";

export const SOURCE_TYPES = ["python", "typescript"] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];
export type Requirement = { name: string; version?: string | null };

/** A variable; of a secret the value is only what was typed just now, `null` while nothing was. */
export type Variable = { name: string; value: string | null; secret: boolean };

/** What this person grants the tool on this machine. */
export type Grants = {
  network: boolean;
  timeout_seconds: number | null;
  memory_mb: number | null;
  variables: Variable[];
};

/** In the server the agent lives on, or on this person's machine, where every call asks first. */
export const PLACES = ["server", "machine"] as const;
export type Place = (typeof PLACES)[number];

/** A tool that is kept: with the server, or by this desk. */
export type StoredTool = { id: string; name: string | null; place: Place };

export type Draft = {
  place: Place;
  source_type: SourceType;
  source_code: string;
  tags: string[];
  return_char_limit: number;
  pip: Requirement[];
  npm: Requirement[];
  ask: boolean;
  parallel: boolean;
  /** Of a tool of this machine: it changes nothing. */
  readOnly: boolean;
  grants: Grants;
};

/** As the desk keeps them; values of secrets never come back. */
export type StoredGrants = {
  network: boolean;
  timeout_seconds: number | null;
  memory_mb: number | null;
  env: Record<string, string>;
  secret_names: string[];
};

export const NO_GRANTS: Grants = { network: false, timeout_seconds: null, memory_mb: null, variables: [] };

export function newDraft(source_type: SourceType, source_code: string, place: Place = "server"): Draft {
  return {
    place,
    source_type,
    source_code,
    tags: [],
    return_char_limit: 50_000,
    pip: [],
    npm: [],
    ask: true,
    parallel: false,
    readOnly: false,
    grants: NO_GRANTS,
  };
}

/** The last function of a source, which is what the tool will be called; as long as nobody has read it properly. */
export function functionIn({ source_code }: Draft): string | null {
  const found = [
    ...source_code.matchAll(/^(?:async\s+def|def|(?:export\s+)?(?:async\s+)?function)\s+(\w+)/gm),
  ];
  return found.at(-1)?.[1] ?? null;
}

export function draftOf(tool: Tool, grants: StoredGrants | null): Draft {
  return {
    ...newDraft(tool.source_type === "typescript" ? "typescript" : "python", tool.source_code ?? ""),
    tags: tool.tags,
    return_char_limit: tool.return_char_limit,
    pip: tool.pip_requirements ?? [],
    npm: tool.npm_requirements ?? [],
    ask: tool.default_requires_approval ?? false,
    parallel: tool.enable_parallel_execution ?? false,
    grants: grants ? grantsOf(grants) : NO_GRANTS,
  };
}

export function draftOfOwn(tool: OwnTool): Draft {
  return {
    ...newDraft(tool.source_type === "typescript" ? "typescript" : "python", tool.source_code, "machine"),
    pip: tool.pip_requirements,
    npm: tool.npm_requirements,
    readOnly: tool.read_only,
    grants: grantsOf(tool),
  };
}

function grantsOf({ network, timeout_seconds, memory_mb, ...kept }: StoredGrants): Grants {
  return { network, timeout_seconds, memory_mb, variables: variablesOf(kept) };
}

export function variablesOf({ env, secret_names }: Pick<StoredGrants, "env" | "secret_names">): Variable[] {
  const open = Object.entries(env).map(([name, value]) => ({ name, value, secret: false }));
  const secrets = secret_names.map((name) => ({ name, value: null, secret: true }));
  return [...open, ...secrets];
}

/** The part that the API keeps. */
export function toolBody(draft: Draft) {
  return {
    source_code: draft.source_code,
    source_type: draft.source_type,
    tags: draft.tags,
    return_char_limit: draft.return_char_limit,
    pip_requirements: draft.pip,
    npm_requirements: draft.npm,
    default_requires_approval: draft.ask,
    enable_parallel_execution: draft.parallel,
  };
}

/** Seconds a tool of this machine may run, unless somebody says otherwise; as the desk has it. */
const OWN_SECONDS = 60;

/** A tool of this machine but its variables. */
export function ownBody(draft: Draft) {
  return {
    source_code: draft.source_code,
    source_type: draft.source_type,
    pip_requirements: draft.pip,
    npm_requirements: draft.npm,
    read_only: draft.readOnly,
    network: draft.grants.network,
    timeout_seconds: draft.grants.timeout_seconds ?? OWN_SECONDS,
    memory_mb: draft.grants.memory_mb,
  };
}

/** The part that stays on this machine. */
export function grantsBody({ network, timeout_seconds, memory_mb, variables }: Grants) {
  return { network, timeout_seconds, memory_mb, ...variablesBody(variables) };
}

/** Secrets whose value is not typed anew are null, and stay. */
export function variablesBody(variables: readonly Variable[]) {
  const named = variables.filter(({ name }) => name.trim() !== "");
  return {
    env: Object.fromEntries(
      named.filter(({ secret }) => !secret).map(({ name, value }) => [name, value ?? ""]),
    ),
    secrets: Object.fromEntries(named.filter(({ secret }) => secret).map(({ name, value }) => [name, value])),
  };
}

/** Secrets that have no value: none was typed, and none is kept under the name. */
export function unsetIn(variables: readonly Variable[], kept: ReadonlySet<string>): string[] {
  return variables
    .filter(({ name, value, secret }) => secret && value === null && name.trim() !== "" && !kept.has(name))
    .map(({ name }) => name);
}

/** What of a replaced tool's variables goes with it, and which secrets the new one takes over. */
export function replacing(before: readonly Variable[], after: readonly Variable[]) {
  const later = new Map(after.map((each) => [each.name, each]));
  const takesOver = ({ name, secret }: Variable) => secret && later.get(name)?.secret === true;
  return {
    gone: before.filter(({ name }) => !later.has(name)).map(({ name }) => name),
    takenOver: before
      .filter((each) => takesOver(each) && later.get(each.name)?.value === null)
      .map(({ name }) => name),
  };
}

/** A draft as it may be kept between starts: without what was typed as a secret. */
export function withoutSecrets(draft: Draft): Draft {
  const variables = draft.grants.variables.map((each) => (each.secret ? { ...each, value: null } : each));
  return { ...draft, grants: { ...draft.grants, variables } };
}

const PLACE = /\(?line (\d+)(?:, column (\d+))?\)?/;

/** What is wrong with the source, without what clients of the API look for in front of it. */
export function saidOf(message: string): string {
  return message.replace(/^.*?Schema generation failed:\s*/s, "");
}

/** Where the schema cannot be derived, from the server's sentence: each part names a line. */
export function problemsIn(message: string): CodeProblem[] {
  return saidOf(message)
    .split(/;\s+(?=\S)/)
    .flatMap((part) => {
      const found = PLACE.exec(part);
      // What belongs to the sentence before it and names no line of its own is in that one's words already.
      if (!found) return [];
      return [{ line: Number(found[1]), column: found[2] ? Number(found[2]) : null, message: part.trim() }];
    });
}

const FILE_KIND = "loci-tool";

/** A tool as a file: everything but secrets. */
export function toFile(name: string, draft: Draft): string {
  return `${JSON.stringify({ kind: FILE_KIND, version: 1, name, ...withoutSecrets(draft) }, null, 2)}\n`;
}

/** A tool from a file of ours, or plain source. Whatever the file grants is asked for anew: nothing is taken over. */
export function fromFile(fileName: string, text: string): Draft | null {
  if (!fileName.endsWith(".json")) {
    const source_type = /\.(ts|mts|tsx|js|mjs)$/.test(fileName) ? "typescript" : "python";
    return text.trim() === "" ? null : newDraft(source_type, text);
  }
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== "object" || read === null) return null;
  const given = read as Partial<Draft> & { kind?: unknown };
  if (given.kind !== FILE_KIND || typeof given.source_code !== "string") return null;
  const draft = newDraft(
    given.source_type === "typescript" ? "typescript" : "python",
    given.source_code,
    given.place === "machine" ? "machine" : "server",
  );
  const strings = (value: unknown) =>
    Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
  return {
    ...draft,
    tags: strings(given.tags),
    pip: requirements(given.pip),
    npm: requirements(given.npm),
    parallel: given.parallel === true,
    return_char_limit:
      typeof given.return_char_limit === "number" ? given.return_char_limit : draft.return_char_limit,
  };
}

function requirements(value: unknown): Requirement[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each) => {
    const { name, version } = (each ?? {}) as Record<string, unknown>;
    if (typeof name !== "string" || name === "") return [];
    return [{ name, version: typeof version === "string" ? version : null }];
  });
}

/** `requests==2.32` or `lodash@4`, as one writes them, and back. */
export function parseRequirement(text: string): Requirement | null {
  const match = /^\s*(@?[^\s=@<>~!]+)\s*(?:(?:==|@)\s*(\S+))?\s*$/.exec(text);
  return match?.[1] ? { name: match[1], version: match[2] ?? null } : null;
}

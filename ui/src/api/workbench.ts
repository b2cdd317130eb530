// The shapes of /workbench: what belongs to this person at this machine. Not part of the published document.
import type { Said } from "./said";

export type ClientTool = {
  name: string;
  description: string | null;
  parameters: Record<string, unknown> | null;
};

/** A folder the agent's calls may reach. */
export type WorkFolder = { path: string; read_only: boolean };

/** A tool this machine could offer, and how it stands with this agent. */
export type CatalogueTool = {
  name: string;
  description: string | null;
  origin: "built_in" | "own";
  id?: string | null;
  offered: boolean;
  /** It is offered because of what it is, not because somebody said so. */
  by_itself: boolean;
  read_only: boolean;
  dangerous: boolean;
  needs_folder: boolean;
  /** The agent's own tool of the same name, which it takes the place of. */
  shadows: string | null;
  problem: Said | null;
};

/** A client tool a person wrote: kept by this desk, run confined on this machine. */
export type OwnTool = {
  id: string;
  name: string;
  source_type: string;
  source_code: string;
  pip_requirements: { name: string; version?: string | null }[];
  npm_requirements: { name: string; version?: string | null }[];
  /** What its author says of it: it changes nothing. */
  read_only: boolean;
  network: boolean;
  timeout_seconds: number;
  /** Null: as much as every tool is given. */
  memory_mb: number | null;
  env: Record<string, string>;
  /** Of secrets only the names ever come back. */
  secret_names: string[];
};

/** The tools this machine offers one agent, and the folders they may reach. */
export type ClientTools = {
  /** What goes along with each message. */
  tools: ClientTool[];
  folder: string | null;
  folders?: WorkFolder[];
  catalogue?: CatalogueTool[];
};

export type { Approval, Decision, PendingCall } from "./approvals";

/** A memory block as one change left it. Version 1 is its creation. */
export type BlockVersion = {
  version: number;
  label: string | null;
  value: string;
  /** Characters. */
  limit: number;
  description: string | null;
  read_only: boolean;
  actor: "person" | "api" | "tool" | "import";
  actor_id: string | null;
  /** The agent's name, where an agent changed it. */
  actor_name: string | null;
  tool_call_id: string | null;
  tool_name: string | null;
  run_id: string | null;
  at: string;
};

/** A call of a client tool that runs now. */
export type RunningCall = {
  message_id: string;
  tool_call_id: string;
  agent_id: string;
  conversation_id: string | null;
  tool: string;
  started_at: string;
};

/** What of a block a person changes. `base_value` refuses the change if the block says something else by now. */
export type BlockEdit = {
  base_value?: string;
  base_version?: number;
  value?: string;
  label?: string;
  description?: string;
  limit?: number;
  read_only?: boolean;
};

/** A kind of provider one can add. */
export type ProviderKind = {
  provider_type: string;
  display_name: string;
  /** Where it is, if it has one address. */
  base_url: string | null;
  base_url_example: string | null;
  key_required: boolean;
  /** Where a person gets a key. */
  keys_page: string | null;
  is_local: boolean;
};

export type Provider = {
  id: string;
  name: string;
  provider_type: string;
  base_url: string | null;
  has_key: boolean;
  /** `base` for one of the environment, `byok` for one added by hand. */
  category: string;
  /** False for what the environment brings or was found. */
  editable?: boolean;
  source?: "added" | "environment" | "found";
  /** Whether its list of models was read; null before the first answer. */
  reachable?: boolean | null;
  models?: number | null;
  /** Why its key cannot be read, or why it did not answer, if so. */
  problem?: Said | null;
};

export type NewProvider = {
  name?: string;
  provider_type: string;
  base_url?: string;
  api_key?: string;
  region?: string;
  api_version?: string;
  /** Sent with every request; their values never come back. */
  headers?: Record<string, string>;
};

/** What is left out stays; an empty key takes the key away. */
export type ProviderChange = { base_url?: string; api_key?: string };

export type ProviderTest = { ok: boolean; said: Said; models: string[] };

export type SecretPlace = "keyring" | "file" | "memory";

export type SecretStatus = {
  /** Kept until one deletes them. */
  available: boolean;
  store: string;
  reason?: Said | null;
  /** Where they may be kept instead. */
  choices?: SecretPlace[];
};

export type Status = {
  version: string;
  secrets: SecretStatus;
  transport: string;
  /** The connection in use; `local` for the agents of this machine. */
  connection?: string;
  data_dir?: string | null;
};

export type Health = {
  ok: boolean;
  checked_at: string;
  version: string | null;
  latency_ms: number | null;
  /** What a person should know. */
  said: Said;
  code: string | null;
};

/** Where agents run: this machine, or another server. */
export type Connection = {
  id: string;
  kind: "local" | "remote";
  name: string;
  base_url: string | null;
  ca_file: string | null;
  has_key: boolean;
  selected: boolean;
  health: Health | null;
  /** What cannot be done with it, with the reason. */
  lacks: { feature: string; reason: string }[];
  lacks_known: boolean;
  warning: Said | null;
  problem: Said | null;
};

/** `agent_id` absent or null means: any agent. Types not known here are ignored. */
export type WorkbenchEvent = {
  type:
    | "agent.changed"
    | "block.changed"
    | "conversation.changed"
    | "tool.changed"
    | "run.changed"
    | "approval.waiting"
    | "approval.resolved"
    | "rule.changed"
    | "client_tool.changed"
    | "client_call.changed"
    | "connection.changed"
    | "provider.changed"
    | "settings.changed"
    /** Events were missed: anything may have changed. */
    | "all.changed";
  agent_id?: string | null;
};

export type Theme = "system" | "light" | "dark";
export type Language = "system" | "en" | "de";

/** How this person likes the window, and how careful Loci is for them. */
export type Settings = {
  theme: Theme;
  language: Language;
  close_to_tray?: boolean;
  notify_approvals?: boolean;
  notify_finished?: boolean;
  /** Hours after which what waits is denied when nobody is there; null: never. */
  expire_unattended_hours?: number | null;
  confine_commands?: boolean;
};

-- The first schema. Times are microseconds since 1970 UTC; columns named *_ns are nanoseconds; JSON is TEXT.
-- `sequence` is the order of insertion: it breaks ties between equal times and survives VACUUM, which an
-- implicit rowid does not.

CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
  sequence       INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  identifier_key TEXT NOT NULL UNIQUE,
  name           TEXT NOT NULL,
  identity_type  TEXT NOT NULL,
  project_id     TEXT,
  properties     TEXT NOT NULL DEFAULT '[]',
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys are not here: they are in the secret store.
CREATE TABLE providers (
  sequence          INTEGER PRIMARY KEY,
  id                TEXT NOT NULL UNIQUE,
  name              TEXT NOT NULL UNIQUE,
  provider_type     TEXT NOT NULL,
  provider_category TEXT NOT NULL,
  base_url          TEXT,
  api_version       TEXT,
  region            TEXT,
  last_synced       INTEGER,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
  sequence                       INTEGER PRIMARY KEY,
  id                             TEXT NOT NULL UNIQUE,
  name                           TEXT NOT NULL,
  agent_type                     TEXT NOT NULL,
  description                    TEXT,
  system                         TEXT NOT NULL,
  model                          TEXT,
  embedding                      TEXT,
  model_settings                 TEXT,
  llm_config                     TEXT,
  embedding_config               TEXT,
  compaction_settings            TEXT,
  response_format                TEXT,
  metadata                       TEXT,
  tool_rules                     TEXT NOT NULL DEFAULT '[]',
  context_window_limit           INTEGER,
  timezone                       TEXT NOT NULL DEFAULT 'UTC',
  message_buffer_autoclear       INTEGER NOT NULL DEFAULT 0,
  enable_sleeptime               INTEGER,
  max_files_open                 INTEGER,
  per_file_view_window_char_limit INTEGER,
  hidden                         INTEGER,
  project_id                     TEXT,
  template_id                    TEXT,
  base_template_id               TEXT,
  deployment_id                  TEXT,
  entity_id                      TEXT,
  created_by_id                  TEXT,
  last_updated_by_id             TEXT,
  created_at                     INTEGER NOT NULL,
  updated_at                     INTEGER NOT NULL,
  last_run_completion            INTEGER,
  last_run_duration_ms           INTEGER,
  last_stop_reason               TEXT
) STRICT;
CREATE INDEX agents_by_time ON agents (created_at, sequence);

CREATE TABLE agent_tags (
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  tag      TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (agent_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_tags_by_tag ON agent_tags (tag);

-- Environment variables of an agent's tools.
CREATE TABLE agent_secrets (
  sequence    INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  agent_id    TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  key         TEXT NOT NULL,
  value       TEXT NOT NULL,
  description TEXT,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  UNIQUE (agent_id, key)
) STRICT;

CREATE TABLE agents_identities (
  agent_id    TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  PRIMARY KEY (agent_id, identity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX agents_identities_by_identity ON agents_identities (identity_id);

CREATE TABLE blocks (
  sequence              INTEGER PRIMARY KEY,
  id                    TEXT NOT NULL UNIQUE,
  label                 TEXT,
  value                 TEXT NOT NULL,
  char_limit            INTEGER NOT NULL,
  description           TEXT,
  read_only             INTEGER NOT NULL DEFAULT 0,
  metadata              TEXT,
  hidden                INTEGER,
  project_id            TEXT,
  template_name         TEXT,
  is_template           INTEGER NOT NULL DEFAULT 0,
  template_id           TEXT,
  base_template_id      TEXT,
  deployment_id         TEXT,
  entity_id             TEXT,
  preserve_on_migration INTEGER,
  created_by_id         TEXT,
  last_updated_by_id    TEXT,
  -- Grows by one with every change; a write that expects another number is refused.
  version               INTEGER NOT NULL DEFAULT 1,
  created_at            INTEGER NOT NULL,
  updated_at            INTEGER NOT NULL
) STRICT;
CREATE INDEX blocks_by_label ON blocks (label);

CREATE TABLE block_tags (
  block_id TEXT NOT NULL REFERENCES blocks (id) ON DELETE CASCADE,
  tag      TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (block_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_tags_by_tag ON block_tags (tag);

-- What a block was after each change and who made it so; version 1 is its creation.
CREATE TABLE block_versions (
  block_id     TEXT NOT NULL REFERENCES blocks (id) ON DELETE CASCADE,
  version      INTEGER NOT NULL,
  label        TEXT,
  value        TEXT NOT NULL,
  char_limit   INTEGER NOT NULL,
  description  TEXT,
  read_only    INTEGER NOT NULL,
  actor        TEXT NOT NULL CHECK (actor IN ('person', 'api', 'tool', 'import')),
  actor_id     TEXT,
  tool_call_id TEXT,
  run_id       TEXT,
  at           INTEGER NOT NULL,
  PRIMARY KEY (block_id, version)
) STRICT, WITHOUT ROWID;

-- The label stands here again so that the database itself keeps it unique within an agent.
CREATE TABLE agents_blocks (
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  block_id TEXT NOT NULL REFERENCES blocks (id) ON DELETE CASCADE,
  label    TEXT,
  position INTEGER NOT NULL,
  PRIMARY KEY (agent_id, block_id),
  UNIQUE (agent_id, label)
) STRICT, WITHOUT ROWID;
CREATE INDEX agents_blocks_by_block ON agents_blocks (block_id);

CREATE TABLE tools (
  sequence                  INTEGER PRIMARY KEY,
  id                        TEXT NOT NULL UNIQUE,
  name                      TEXT UNIQUE,
  tool_type                 TEXT NOT NULL,
  description               TEXT,
  source_type               TEXT,
  source_code               TEXT,
  json_schema               TEXT,
  args_json_schema          TEXT,
  tags                      TEXT NOT NULL DEFAULT '[]',
  return_char_limit         INTEGER NOT NULL,
  pip_requirements          TEXT,
  npm_requirements          TEXT,
  default_requires_approval INTEGER,
  enable_parallel_execution INTEGER,
  metadata                  TEXT,
  project_id                TEXT,
  created_by_id             TEXT,
  last_updated_by_id        TEXT,
  created_at                INTEGER NOT NULL,
  updated_at                INTEGER NOT NULL
) STRICT;

CREATE TABLE agents_tools (
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  tool_id  TEXT NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (agent_id, tool_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX agents_tools_by_tool ON agents_tools (tool_id);

CREATE TABLE conversations (
  sequence            INTEGER PRIMARY KEY,
  id                  TEXT NOT NULL UNIQUE,
  agent_id            TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  summary             TEXT,
  description         TEXT,
  model               TEXT,
  model_settings      TEXT,
  last_message_at     INTEGER,
  last_run_completion INTEGER,
  created_by_id       TEXT,
  last_updated_by_id  TEXT,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  deleted_at          INTEGER
) STRICT;
CREATE INDEX conversations_by_agent ON conversations (agent_id, created_at, sequence);

-- Copies of blocks that stand in for the agent's own, by label, inside one conversation.
CREATE TABLE conversations_blocks (
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  block_id        TEXT NOT NULL REFERENCES blocks (id) ON DELETE CASCADE,
  label           TEXT,
  position        INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, block_id),
  UNIQUE (conversation_id, label)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_blocks_by_block ON conversations_blocks (block_id);

CREATE TABLE runs (
  sequence             INTEGER PRIMARY KEY,
  id                   TEXT NOT NULL UNIQUE,
  agent_id             TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  conversation_id      TEXT REFERENCES conversations (id) ON DELETE CASCADE,
  status               TEXT NOT NULL CHECK (status IN ('created', 'running', 'completed', 'failed', 'cancelled')),
  stop_reason          TEXT,
  background           INTEGER,
  -- Recognises the same request sent again: a digest of its messages' otids.
  request_token        TEXT,
  metadata             TEXT,
  request_config       TEXT,
  base_template_id     TEXT,
  callback_url         TEXT,
  callback_sent_at     INTEGER,
  callback_status_code INTEGER,
  callback_error       TEXT,
  ttft_ns              INTEGER,
  total_duration_ns    INTEGER,
  created_at           INTEGER NOT NULL,
  completed_at         INTEGER
) STRICT;
CREATE INDEX runs_by_time ON runs (created_at, sequence);
CREATE INDEX runs_by_agent ON runs (agent_id, created_at, sequence);
CREATE INDEX runs_by_conversation ON runs (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX runs_active ON runs (status) WHERE status IN ('created', 'running');
CREATE INDEX runs_by_token ON runs (request_token) WHERE request_token IS NOT NULL;

CREATE TABLE steps (
  sequence                  INTEGER PRIMARY KEY,
  id                        TEXT NOT NULL UNIQUE,
  run_id                    TEXT REFERENCES runs (id) ON DELETE CASCADE,
  agent_id                  TEXT REFERENCES agents (id) ON DELETE CASCADE,
  origin                    TEXT,
  provider_id               TEXT,
  provider_name             TEXT,
  provider_category         TEXT,
  model                     TEXT,
  model_handle              TEXT,
  model_endpoint            TEXT,
  context_window_limit      INTEGER,
  completion_tokens         INTEGER,
  prompt_tokens             INTEGER,
  total_tokens              INTEGER,
  cached_input_tokens       INTEGER,
  cache_write_tokens        INTEGER,
  reasoning_tokens          INTEGER,
  completion_tokens_details TEXT,
  prompt_tokens_details     TEXT,
  stop_reason               TEXT,
  tags                      TEXT NOT NULL DEFAULT '[]',
  tid                       TEXT,
  trace_id                  TEXT,
  request_id                TEXT,
  feedback                  TEXT,
  project_id                TEXT,
  error_type                TEXT,
  error_data                TEXT,
  status                    TEXT NOT NULL CHECK (status IN ('pending', 'success', 'failed', 'cancelled')),
  -- Attempts at the model that failed before the one that counted.
  attempts                  TEXT NOT NULL DEFAULT '[]',
  step_start_ns             INTEGER,
  llm_request_start_ns      INTEGER,
  llm_request_ns            INTEGER,
  ttft_ns                   INTEGER,
  tool_execution_ns         INTEGER,
  step_ns                   INTEGER,
  created_at                INTEGER NOT NULL,
  completed_at              INTEGER
) STRICT;
CREATE INDEX steps_by_time ON steps (created_at, sequence);
CREATE INDEX steps_by_run ON steps (run_id, created_at, sequence);
CREATE INDEX steps_by_agent ON steps (agent_id, created_at, sequence);
CREATE INDEX steps_pending ON steps (status) WHERE status = 'pending';

-- The exact bodies of a step's model call. Big, so apart from the step.
CREATE TABLE step_traces (
  step_id       TEXT PRIMARY KEY REFERENCES steps (id) ON DELETE CASCADE,
  id            TEXT NOT NULL,
  request_json  TEXT NOT NULL,
  response_json TEXT NOT NULL,
  created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX step_traces_by_time ON step_traces (created_at);

-- Written before a tool runs and after: what is 'started' at start-up may or may not have taken effect.
CREATE TABLE tool_journal (
  step_id      TEXT NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  tool_call_id TEXT NOT NULL,
  name         TEXT NOT NULL,
  arguments    TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('started', 'finished')),
  started_at   INTEGER NOT NULL,
  finished_at  INTEGER,
  PRIMARY KEY (step_id, tool_call_id)
) STRICT, WITHOUT ROWID;

-- The buffer of a background run's stream.
CREATE TABLE run_events (
  run_id     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seq_id     INTEGER NOT NULL,
  payload    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (run_id, seq_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_events_by_time ON run_events (created_at);

-- Append-only: compaction takes messages out of the context, never out of here.
CREATE TABLE messages (
  sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
  id              TEXT NOT NULL UNIQUE,
  agent_id        TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  conversation_id TEXT REFERENCES conversations (id) ON DELETE CASCADE,
  role            TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool', 'approval', 'summary')),
  content         TEXT NOT NULL,
  tool_calls      TEXT,
  tool_returns    TEXT,
  approvals       TEXT,
  name            TEXT,
  model           TEXT,
  run_id          TEXT REFERENCES runs (id) ON DELETE SET NULL,
  step_id         TEXT REFERENCES steps (id) ON DELETE SET NULL,
  otid            TEXT,
  group_id        TEXT,
  sender_id       TEXT,
  is_err          INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  -- What full-text search reads; null where there is nothing to find.
  search_text     TEXT
) STRICT;
CREATE INDEX messages_by_thread ON messages (agent_id, conversation_id, sequence);
CREATE INDEX messages_by_agent ON messages (agent_id, sequence);
CREATE INDEX messages_by_conversation ON messages (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX messages_by_run ON messages (run_id, sequence) WHERE run_id IS NOT NULL;
CREATE INDEX messages_by_step ON messages (step_id) WHERE step_id IS NOT NULL;
CREATE INDEX messages_by_otid ON messages (otid) WHERE otid IS NOT NULL;

-- What is in a thread's context window. A thread is a conversation, or an agent for its default one.
CREATE TABLE context (
  thread_id  TEXT NOT NULL,
  position   INTEGER NOT NULL,
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  PRIMARY KEY (thread_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX context_by_message ON context (message_id);

CREATE VIRTUAL TABLE messages_fts USING fts5 (
  search_text,
  content = 'messages',
  content_rowid = 'sequence',
  tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER messages_fts_insert AFTER INSERT ON messages WHEN new.search_text IS NOT NULL BEGIN
  INSERT INTO messages_fts (rowid, search_text) VALUES (new.sequence, new.search_text);
END;

CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages WHEN old.search_text IS NOT NULL BEGIN
  INSERT INTO messages_fts (messages_fts, rowid, search_text) VALUES ('delete', old.sequence, old.search_text);
END;

CREATE TRIGGER messages_fts_update AFTER UPDATE OF search_text ON messages BEGIN
  INSERT INTO messages_fts (messages_fts, rowid, search_text)
  SELECT 'delete', old.sequence, old.search_text WHERE old.search_text IS NOT NULL;
  INSERT INTO messages_fts (rowid, search_text)
  SELECT new.sequence, new.search_text WHERE new.search_text IS NOT NULL;
END;

INSERT INTO users (id, name, created_at)
VALUES ('user-00000000-0000-4000-8000-000000000000', 'Local user', CAST(unixepoch('subsec') * 1000000 AS INTEGER));

-- What model calls used and cost. It outlives the agents it is about, so nothing in it refers to other tables.
CREATE TABLE usage_entries (
  sequence            INTEGER PRIMARY KEY AUTOINCREMENT,
  at                  INTEGER NOT NULL,
  kind                TEXT NOT NULL CHECK (kind IN ('chat', 'summary', 'preflight', 'embedding', 'other')),
  step_id             TEXT UNIQUE,
  run_id              TEXT,
  agent_id            TEXT,
  conversation_id     TEXT,
  provider_name       TEXT NOT NULL,
  model_handle        TEXT NOT NULL,
  prompt_tokens       INTEGER NOT NULL,
  completion_tokens   INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens  INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens    INTEGER NOT NULL DEFAULT 0,
  -- Whether the provider did not say how many tokens it were.
  tokens_estimated    INTEGER NOT NULL DEFAULT 0,
  -- Billionths of a US dollar at the prices known then; null where none was known.
  cost_nano_usd       INTEGER
) STRICT;
CREATE INDEX usage_entries_by_time ON usage_entries (at);
CREATE INDEX usage_entries_by_agent ON usage_entries (agent_id, at);
CREATE INDEX usage_entries_by_run ON usage_entries (run_id) WHERE run_id IS NOT NULL;

INSERT INTO usage_entries (at, kind, step_id, run_id, agent_id, conversation_id, provider_name, model_handle,
  prompt_tokens, completion_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens)
SELECT s.created_at, 'chat', s.id, s.run_id, s.agent_id, r.conversation_id, coalesce(s.provider_name, ''),
  coalesce(s.model_handle, ''), coalesce(s.prompt_tokens, 0), coalesce(s.completion_tokens, 0),
  coalesce(s.cached_input_tokens, 0), coalesce(s.cache_write_tokens, 0), coalesce(s.reasoning_tokens, 0)
FROM steps s LEFT JOIN runs r ON r.id = s.run_id
WHERE s.total_tokens IS NOT NULL;

-- How much may be spent in a span of time, by one agent or by all together.
CREATE TABLE budgets (
  sequence       INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  -- Null: all agents together.
  agent_id       TEXT REFERENCES agents (id) ON DELETE CASCADE,
  period         TEXT NOT NULL CHECK (period IN ('day', 'month', 'total')),
  limit_nano_usd INTEGER CHECK (limit_nano_usd >= 0),
  limit_tokens   INTEGER CHECK (limit_tokens >= 0),
  -- From this share of the limit on, in percent, there is a warning.
  warn_percent   INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK (limit_nano_usd IS NOT NULL OR limit_tokens IS NOT NULL)
) STRICT;
CREATE INDEX budgets_by_agent ON budgets (agent_id);

-- What a model was found able to do when it was tried.
CREATE TABLE score_cards (
  sequence     INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  model_handle TEXT NOT NULL,
  -- The provider's address then: the same handle may mean another server today.
  endpoint     TEXT,
  status       TEXT NOT NULL CHECK (status IN ('running', 'finished', 'cancelled', 'interrupted')),
  checks       TEXT NOT NULL,
  started_at   INTEGER NOT NULL,
  finished_at  INTEGER
) STRICT;
CREATE INDEX score_cards_by_model ON score_cards (model_handle, sequence);

CREATE TABLE archives (
  sequence           INTEGER PRIMARY KEY,
  id                 TEXT NOT NULL UNIQUE,
  name               TEXT NOT NULL,
  description        TEXT,
  -- Of the handle in it, vectors are made; null: full text only.
  embedding_config   TEXT,
  metadata           TEXT,
  created_by_id      TEXT,
  last_updated_by_id TEXT,
  created_at         INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX archives_by_time ON archives (created_at, sequence);

CREATE TABLE agents_archives (
  agent_id   TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  archive_id TEXT NOT NULL REFERENCES archives (id) ON DELETE CASCADE,
  -- Made for this agent; its embedder is the agent's, and it goes when the agent goes.
  is_own     INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (agent_id, archive_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX agents_archives_by_archive ON agents_archives (archive_id);

CREATE TRIGGER archives_go_with_their_agent BEFORE DELETE ON agents BEGIN
  DELETE FROM archives WHERE id IN (
    SELECT archive_id FROM agents_archives WHERE agent_id = old.id AND is_own
      AND NOT EXISTS (SELECT 1 FROM agents_archives other
        WHERE other.archive_id = agents_archives.archive_id AND other.agent_id <> old.id)
  );
END;

CREATE TABLE passages (
  sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
  id            TEXT NOT NULL UNIQUE,
  archive_id    TEXT NOT NULL REFERENCES archives (id) ON DELETE CASCADE,
  text          TEXT NOT NULL,
  tags          TEXT NOT NULL DEFAULT '[]',
  metadata      TEXT,
  created_by_id TEXT,
  -- Why no vector could be made of it; null while none was tried or one was made.
  vector_error  TEXT,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_by_archive ON passages (archive_id, created_at, sequence);

-- Little-endian 32-bit floats of length 1. A vector of another model than the archive's is out of date.
CREATE TABLE passage_vectors (
  passage_sequence INTEGER PRIMARY KEY REFERENCES passages (sequence) ON DELETE CASCADE,
  model            TEXT NOT NULL,
  dimensions       INTEGER NOT NULL,
  vector           BLOB NOT NULL
) STRICT;

CREATE VIRTUAL TABLE passages_fts USING fts5 (
  text,
  content = 'passages',
  content_rowid = 'sequence',
  tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages BEGIN
  INSERT INTO passages_fts (rowid, text) VALUES (new.sequence, new.text);
END;

CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages BEGIN
  INSERT INTO passages_fts (passages_fts, rowid, text) VALUES ('delete', old.sequence, old.text);
END;

CREATE TRIGGER passages_fts_update AFTER UPDATE OF text ON passages BEGIN
  INSERT INTO passages_fts (passages_fts, rowid, text) VALUES ('delete', old.sequence, old.text);
  INSERT INTO passages_fts (rowid, text) VALUES (new.sequence, new.text);
END;

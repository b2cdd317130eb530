-- What a person decides beforehand. A revoked rule stays: the log names it.
CREATE TABLE approval_rules (
  sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  effect     TEXT NOT NULL CHECK (effect IN ('allow', 'ask', 'deny')),
  -- Where it holds and what it matches: JSON of the desk. A newer Loci's may say more than an older one understands.
  scope      TEXT NOT NULL,
  matches    TEXT NOT NULL,
  note       TEXT,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

-- The log again, with calls whose outcome is unknown and with what became of rules. `facts` is what a rule could
-- know of the call, so that a new rule can be tried on old calls.
DROP TRIGGER approval_audit_is_kept;
DROP TRIGGER approval_audit_is_final;
ALTER TABLE approval_audit RENAME TO approval_audit_before;
CREATE TABLE approval_audit (
  sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
  at                 INTEGER NOT NULL,
  event              TEXT NOT NULL CHECK (event IN ('decided', 'started', 'finished', 'rule')),
  connection         TEXT NOT NULL,
  -- NULL in rows about rules that hold for all agents.
  agent_id           TEXT,
  conversation_id    TEXT,
  message_id         TEXT,
  tool_call_id       TEXT,
  tool               TEXT NOT NULL,
  kind               TEXT NOT NULL CHECK (kind IN ('client', 'server')),
  -- 'decided': allow, deny, report. 'started': started. 'finished': success, error, unknown. 'rule': created, revoked.
  outcome            TEXT NOT NULL CHECK (outcome IN
    ('allow', 'deny', 'report', 'started', 'success', 'error', 'unknown', 'created', 'revoked')),
  decided_by         TEXT NOT NULL,
  rule_id            TEXT,
  reason             TEXT,
  hash               TEXT NOT NULL,
  arguments          TEXT NOT NULL,
  original_arguments TEXT,
  confinement        TEXT,
  facts              TEXT
) STRICT;
INSERT INTO approval_audit (sequence, at, event, connection, agent_id, conversation_id, message_id, tool_call_id, tool,
    kind, outcome, decided_by, reason, hash, arguments, original_arguments, confinement)
  SELECT sequence, at, event, connection, agent_id, conversation_id, message_id, tool_call_id, tool,
    kind, outcome, decided_by, reason, hash, arguments, original_arguments, confinement
  FROM approval_audit_before;
DROP TABLE approval_audit_before;
CREATE INDEX approval_audit_by_rule ON approval_audit (rule_id) WHERE rule_id IS NOT NULL;
CREATE TRIGGER approval_audit_is_kept BEFORE DELETE ON approval_audit BEGIN
  SELECT raise(ABORT, 'the approval log is append-only');
END;
CREATE TRIGGER approval_audit_is_final BEFORE UPDATE ON approval_audit BEGIN
  SELECT raise(ABORT, 'the approval log is append-only');
END;

-- Allowed calls of client tools, noted before they begin: after a crash it tells what may have taken effect.
CREATE TABLE client_calls (
  connection      TEXT NOT NULL,
  message_id      TEXT NOT NULL,
  tool_call_id    TEXT NOT NULL,
  agent_id        TEXT NOT NULL,
  conversation_id TEXT,
  tool            TEXT NOT NULL,
  hash            TEXT NOT NULL,
  -- What runs, JSON text; kept only until the agent has the result, like the result itself.
  arguments       TEXT,
  state           TEXT NOT NULL CHECK (state IN ('started', 'finished', 'unknown', 'delivered')),
  status          TEXT CHECK (status IN ('success', 'error')),
  result          TEXT,
  confinement     TEXT,
  started_at      INTEGER NOT NULL,
  finished_at     INTEGER,
  PRIMARY KEY (connection, message_id, tool_call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_calls_open ON client_calls (state) WHERE state IN ('started', 'finished', 'unknown');

-- The folders on this machine that client tools may use for an agent; a conversation's own take their place.
CREATE TABLE work_folders (
  connection      TEXT NOT NULL,
  agent_id        TEXT NOT NULL,
  -- Empty: of the agent.
  conversation_id TEXT NOT NULL DEFAULT '',
  position        INTEGER NOT NULL,
  path            TEXT NOT NULL,
  read_only       INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (connection, agent_id, conversation_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO work_folders (connection, agent_id, position, path)
  SELECT 'local', replace(replace(key, 'client_tools/local/', ''), '/folder', ''), 0, json_extract(value, '$')
  FROM settings WHERE key LIKE 'client_tools/local/%/folder' AND json_type(value) = 'text';
DELETE FROM settings WHERE key LIKE 'client_tools/local/%/folder';

-- Which client tools an agent is offered, where it differs from what a tool is offered by itself.
CREATE TABLE client_tool_choices (
  connection TEXT NOT NULL,
  agent_id   TEXT NOT NULL,
  tool       TEXT NOT NULL,
  offered    INTEGER NOT NULL,
  PRIMARY KEY (connection, agent_id, tool)
) STRICT, WITHOUT ROWID;

-- Client tools people wrote themselves.
CREATE TABLE client_tools (
  sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT NOT NULL UNIQUE,
  name             TEXT NOT NULL UNIQUE,
  source_type      TEXT NOT NULL CHECK (source_type IN ('python', 'typescript')),
  source_code      TEXT NOT NULL,
  json_schema      TEXT NOT NULL,
  pip_requirements TEXT NOT NULL DEFAULT '[]',
  npm_requirements TEXT NOT NULL DEFAULT '[]',
  -- What its author says of it: it changes nothing.
  read_only        INTEGER NOT NULL DEFAULT 0,
  network          INTEGER NOT NULL DEFAULT 0,
  timeout_seconds  INTEGER NOT NULL DEFAULT 60,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL
) STRICT;

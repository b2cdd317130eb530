-- What was decided about calls that waited for a person, and what came of those that ran on this machine. The
-- log outlives what it is about, so nothing in it refers to other tables.
CREATE TABLE approval_audit (
  sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
  at                 INTEGER NOT NULL,
  event              TEXT NOT NULL CHECK (event IN ('decided', 'finished')),
  connection         TEXT NOT NULL,
  agent_id           TEXT NOT NULL,
  conversation_id    TEXT,
  message_id         TEXT NOT NULL,
  tool_call_id       TEXT NOT NULL,
  tool               TEXT NOT NULL,
  kind               TEXT NOT NULL CHECK (kind IN ('client', 'server')),
  -- Of a 'decided' row: 'allow' or 'deny'. Of a 'finished' row: how the call ended.
  outcome            TEXT NOT NULL CHECK (outcome IN ('allow', 'deny', 'success', 'error')),
  decided_by         TEXT NOT NULL,
  reason             TEXT,
  -- SHA-256 of what the decision is bound to, hexadecimal.
  hash               TEXT NOT NULL,
  arguments          TEXT NOT NULL,
  -- What the model had asked for, where the person changed it.
  original_arguments TEXT,
  confinement        TEXT
) STRICT;

CREATE TRIGGER approval_audit_is_kept BEFORE DELETE ON approval_audit BEGIN
  SELECT raise(ABORT, 'the approval log is append-only');
END;
CREATE TRIGGER approval_audit_is_final BEFORE UPDATE ON approval_audit BEGIN
  SELECT raise(ABORT, 'the approval log is append-only');
END;

-- Finds what waits without reading the history.
CREATE INDEX messages_approval ON messages (sequence) WHERE role = 'approval';

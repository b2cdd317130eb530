-- The journal of calls that run a person's code or reach outside: written before such a call begins, and again with
-- how it ended and what kept it within bounds. Nothing was ever written in its earlier form.
DROP TABLE tool_journal;
CREATE TABLE tool_journal (
  step_id      TEXT NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  -- With a number behind it where code made the call.
  tool_call_id TEXT NOT NULL,
  name         TEXT NOT NULL,
  -- 'unknown': the program ended while it ran, so it may have taken effect or not.
  state        TEXT NOT NULL CHECK (state IN ('started', 'success', 'error', 'unknown')),
  -- For people. Null: nothing was started for it.
  confinement  TEXT,
  started_at   INTEGER NOT NULL,
  finished_at  INTEGER,
  PRIMARY KEY (step_id, tool_call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tool_journal_open ON tool_journal (state) WHERE state = 'started';

-- What each tool was when a call of it was last allowed, to show the difference once it is another one.
CREATE TABLE approved_tools (
  connection TEXT NOT NULL,
  agent_id   TEXT NOT NULL,
  tool       TEXT NOT NULL,
  -- JSON: description, parameters, source, packages, folders, network.
  content    TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  rule_id    TEXT,
  at         INTEGER NOT NULL,
  PRIMARY KEY (connection, agent_id, tool)
) STRICT, WITHOUT ROWID;

-- Finds the decision a call ran by.
CREATE INDEX approval_audit_by_call ON approval_audit (tool_call_id) WHERE tool_call_id IS NOT NULL;

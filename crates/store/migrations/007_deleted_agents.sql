-- Deleted agents that can still come back. Nothing here is seen by the tables they came from.
CREATE TABLE deleted_agents (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every row that went with an agent, as it was: an object of its columns.
CREATE TABLE deleted_rows (
  sequence   INTEGER PRIMARY KEY,
  agent_id   TEXT NOT NULL REFERENCES deleted_agents (id) ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  content    TEXT NOT NULL
) STRICT;
CREATE INDEX deleted_rows_by_agent ON deleted_rows (agent_id, table_name, sequence);

-- Every state a tool was in. Version 1 is its creation; the version before is what the change replaced.
CREATE TABLE tool_versions (
  tool_id    TEXT NOT NULL REFERENCES tools (id) ON DELETE CASCADE,
  version    INTEGER NOT NULL,
  -- Everything that can be restored, as the API shows a tool: source, schema, packages, limits, tags.
  content    TEXT NOT NULL,
  -- The user it was done for, where it is known.
  changed_by TEXT,
  at         INTEGER NOT NULL,
  PRIMARY KEY (tool_id, version)
) STRICT, WITHOUT ROWID;

-- The tools that are there already begin their history as they are.
INSERT INTO tool_versions (tool_id, version, content, changed_by, at)
SELECT id, 1, json_object(
    'name', name, 'description', description, 'source_type', source_type, 'source_code', source_code,
    'json_schema', json(coalesce(json_schema, 'null')), 'args_json_schema', json(coalesce(args_json_schema, 'null')),
    'tags', json(tags), 'return_char_limit', return_char_limit,
    'pip_requirements', json(coalesce(pip_requirements, 'null')),
    'npm_requirements', json(coalesce(npm_requirements, 'null')),
    'default_requires_approval',
      json(CASE default_requires_approval WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END),
    'enable_parallel_execution',
      json(CASE enable_parallel_execution WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)),
  last_updated_by_id, updated_at
FROM tools WHERE tool_type = 'custom';

-- What this person grants a tool on this machine, beyond what the API knows of it. Secret values are elsewhere.
CREATE TABLE tool_settings (
  tool_id         TEXT NOT NULL PRIMARY KEY REFERENCES tools (id) ON DELETE CASCADE,
  network         INTEGER NOT NULL DEFAULT 0,
  -- Null: the server's own limit.
  timeout_seconds INTEGER,
  memory_mb       INTEGER,
  -- Variables that are no secrets, as an object.
  env             TEXT NOT NULL DEFAULT '{}',
  -- Names of variables whose values are in the place for secrets, as a list.
  secret_names    TEXT NOT NULL DEFAULT '[]',
  updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Test runs of the workshop, newest last; only so many are kept.
CREATE TABLE tool_test_runs (
  sequence    INTEGER PRIMARY KEY,
  -- Null for source that was not stored yet.
  tool_id     TEXT REFERENCES tools (id) ON DELETE CASCADE,
  name        TEXT,
  arguments   TEXT NOT NULL,
  status      TEXT NOT NULL CHECK (status IN ('success', 'error')),
  -- As the API would show it, cut.
  result      TEXT NOT NULL,
  confinement TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  at          INTEGER NOT NULL
) STRICT;
CREATE INDEX tool_test_runs_by_tool ON tool_test_runs (tool_id, sequence);

-- A person's own client tools get what tools of the server have here: variables, a past, and trials of their own.
-- Variables that are no secrets, as an object.
ALTER TABLE client_tools ADD COLUMN env TEXT NOT NULL DEFAULT '{}';
-- Names of variables whose values are in the place for secrets, as a list.
ALTER TABLE client_tools ADD COLUMN secret_names TEXT NOT NULL DEFAULT '[]';

-- Every state a tool was in. Version 1 is its creation; the version before is what the change replaced.
CREATE TABLE client_tool_versions (
  tool_id TEXT NOT NULL REFERENCES client_tools (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  -- Everything that can be restored: source, schema, packages, what its author says of it. Grants are not part of it.
  content TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (tool_id, version)
) STRICT, WITHOUT ROWID;

-- The tools that are there already begin their history as they are.
INSERT INTO client_tool_versions (tool_id, version, content, at)
SELECT id, 1, json_object(
    'name', name, 'source_type', source_type, 'source_code', source_code, 'json_schema', json(json_schema),
    'pip_requirements', json(pip_requirements), 'npm_requirements', json(npm_requirements),
    'read_only', json(CASE read_only WHEN 1 THEN 'true' ELSE 'false' END)),
  updated_at
FROM client_tools;

-- Until now their trials were known by the name of the function.
ALTER TABLE tool_test_runs ADD COLUMN client_tool_id TEXT REFERENCES client_tools (id) ON DELETE CASCADE;
UPDATE tool_test_runs SET client_tool_id = (SELECT id FROM client_tools WHERE name = tool_test_runs.name)
WHERE tool_id IS NULL;
CREATE INDEX tool_test_runs_by_client_tool ON tool_test_runs (client_tool_id, sequence)
  WHERE client_tool_id IS NOT NULL;

-- A model request repeats nearly all of the one before. A frame holds what is new in one request; the frames of a
-- chain up to a position make the whole request at that position. A trace without a chain holds its request itself.
CREATE TABLE request_frames (
  chain      TEXT NOT NULL,
  position   INTEGER NOT NULL,
  agent_id   TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  body       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_frames_by_agent ON request_frames (agent_id);
CREATE INDEX request_frames_by_time ON request_frames (created_at);

ALTER TABLE step_traces ADD COLUMN chain TEXT;
ALTER TABLE step_traces ADD COLUMN position INTEGER;
CREATE INDEX step_traces_by_chain ON step_traces (chain) WHERE chain IS NOT NULL;

-- Counts an agent's messages without reading them.
CREATE INDEX messages_counted ON messages (agent_id) WHERE is_err = 0;

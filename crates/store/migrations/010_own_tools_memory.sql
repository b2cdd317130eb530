-- Megabytes a client tool that a person wrote may have; null: what every tool has.
ALTER TABLE client_tools ADD COLUMN memory_mb INTEGER;

//! SQLite: migrations, one module per table, full-text search

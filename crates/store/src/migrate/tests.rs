//! The schema as it is, and what happens to files of other versions.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const SECOND: &str = "ALTER TABLE users ADD COLUMN colour TEXT; UPDATE users SET colour = 'green';";

fn with(extra: &'static str) -> Vec<M<'static>> {
    ALL.iter().cloned().chain([M::up(extra)]).collect()
}

/// The name of the copy made before [`with`] a further migration.
fn copy_name() -> String {
    format!("loci.db.before-{}", ALL.len() + 1)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_schema_is_the_accepted_one() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open_current(&folder.path().join("loci.db"), ALL).unwrap();
    let mut statement = conn
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '%_fts_%' ORDER BY tbl_name, type DESC, name")
        .unwrap();
    let all: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    insta::assert_snapshot!(all.join(";\n"));
}

#[test]
fn migrations_are_valid_one_after_another() {
    Migrations::from_slice(ALL).validate().unwrap();
}

#[test]
fn a_new_file_needs_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    drop(open_current(&folder.path().join("loci.db"), ALL).unwrap());
    assert_eq!(names(folder.path()), ["loci.db"]);
}

#[test]
fn an_older_file_is_copied_before_it_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loci.db");
    let conn = open_current(&path, ALL).unwrap();
    conn.execute("UPDATE users SET name = 'Mira'", []).unwrap();
    // Left open: what was written last is still in the WAL and must be in the copy.
    let newer = open_current(&path, &with(SECOND)).unwrap();
    let colour: String = newer.query_row("SELECT colour FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(colour, "green");

    let copy = Connection::open(folder.path().join(copy_name())).unwrap();
    let name: String = copy.query_row("SELECT name FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(name, "Mira");
    assert!(copy.prepare("SELECT colour FROM users").is_err());
    let version: i64 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(version).unwrap(), ALL.len());
}

#[test]
fn a_migration_that_fails_leaves_the_old_schema_and_may_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loci.db");
    drop(open_current(&path, ALL).unwrap());
    let broken = with("CREATE TABLE half (a TEXT) STRICT; INSERT INTO nowhere VALUES (1);");
    for _ in 0..2 {
        assert!(open_current(&path, &broken).is_err());
    }
    let conn = open_current(&path, ALL).unwrap();
    assert!(conn.prepare("SELECT * FROM half").is_err());
    drop(conn);
    drop(open_current(&path, &with(SECOND)).unwrap());
    assert_eq!(names(folder.path()), ["loci.db".to_owned(), copy_name()]);
}

/// The state a killed process leaves: the file with its WAL, copied while it is open.
fn killed(from: &Path, to: &Path) -> PathBuf {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if !entry.file_name().to_str().unwrap().ends_with("-shm") {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    to.join("loci.db")
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let newer = open_current(&data.join("loci.db"), &with(SECOND)).unwrap();
    let killed = killed(&data, &folder.path().join("killed"));
    drop(newer);
    // One was closed well; in the other the newer version is known to the WAL only.
    for path in [data.join("loci.db"), killed] {
        let wal = path.with_file_name("loci.db-wal");
        let before = (fs::read(&path).unwrap(), fs::read(&wal).ok());
        let refused = open_current(&path, ALL).unwrap_err();
        assert!(
            matches!(refused, StoreError::NewerSchema { found, known, .. } if found == known + 1),
            "{refused}"
        );
        assert!(refused.to_string().contains("newer Loci"), "{refused}");
        assert_eq!(before.0, fs::read(&path).unwrap());
        assert_eq!(before.1.unwrap_or_default(), fs::read(&wal).unwrap_or_default());
        let known = i64::try_from(ALL.len()).unwrap();
        assert!(
            matches!(maintain::doctor(&path), Err(StoreError::NewerSchema { found, .. }) if found > known)
        );
    }
}

#[test]
fn another_programs_file_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::write(
        &text,
        "not a database at all, but long enough to have a header of one hundred bytes or more. ".repeat(20),
    )
    .unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE notes (a); INSERT INTO notes VALUES (1)")
        .unwrap();
    for path in [text, foreign] {
        let before = fs::read(&path).unwrap();
        let refused = open_current(&path, ALL).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
        assert_eq!(before, fs::read(&path).unwrap());
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loci.db");
    let _conn = open_current(&path, &with(SECOND)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[test]
fn own_tools_of_before_have_their_first_version_and_their_trials() {
    use crate::table::{
        client_tool,
        client_tool_version::{self, OwnToolContent},
        tool_test_run::{self, Tried},
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loci.db");
    let conn = open_current(&path, &ALL[..8]).unwrap();
    conn.execute_batch(
        r#"INSERT INTO client_tools (id, name, source_type, source_code, json_schema, pip_requirements, read_only,
             created_at, updated_at)
           VALUES ('client-tool-1', 'tidy', 'python', 'def tidy(): ...', '{"name":"tidy"}', '[{"name":"six"}]', 1, 5, 7);
           INSERT INTO tool_test_runs (name, arguments, status, result, confinement, duration_ms, at)
           VALUES ('tidy', '{}', 'success', 'mine', '{}', 1, 6), ('other', '{}', 'success', 'new', '{}', 1, 6),
             (NULL, '{}', 'error', 'nameless', '{}', 1, 6);"#,
    )
    .unwrap();
    drop(conn);
    let conn = open_current(&path, ALL).unwrap();
    let tool = client_tool::get(&conn, "client-tool-1").unwrap().unwrap();
    assert!(tool.env.is_empty() && tool.secret_names.is_empty());
    let versions = client_tool_version::list(&conn, &tool.id, None, 9).unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!((versions[0].version, versions[0].at), (1, tool.updated_at));
    assert_eq!(versions[0].content, OwnToolContent::of(&tool));
    let results = |tried: Tried| -> Vec<String> {
        tool_test_run::list(&conn, &tried, 9).unwrap().into_iter().map(|run| run.result).collect()
    };
    assert_eq!(results(Tried::Own(tool.id.clone())), ["mine"]);
    assert_eq!(results(Tried::New), ["nameless", "new"]);
}

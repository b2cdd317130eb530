//! One page of a list: cursors, order, limit, and the query they make together with a filter.

use loci_api::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};

use crate::StoreError;

/// Which part of a list is wanted. `after` is what follows that id in the chosen order, `before` what comes
/// ahead of it; with only `before`, the items nearest to it. An id that does not exist is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub before: Option<String>,
    pub after: Option<String>,
    /// Rows.
    pub limit: u32,
    pub ascending: bool,
}

impl Page {
    /// The oldest `limit` rows, oldest first.
    #[must_use]
    pub fn oldest(limit: u32) -> Self {
        Self { before: None, after: None, limit, ascending: true }
    }

    /// The newest `limit` rows, newest first.
    #[must_use]
    pub fn newest(limit: u32) -> Self {
        Self { ascending: false, ..Self::oldest(limit) }
    }
}

/// A SELECT over one table that has `id` and `sequence`, put together from fixed pieces of SQL only; what comes
/// from outside is bound.
pub(crate) struct Select {
    columns: &'static str,
    table: &'static str,
    /// What rows are ordered by, ties broken by `sequence`.
    key: &'static str,
    filter: String,
    values: Vec<Value>,
}

impl Select {
    pub(crate) fn new(columns: &'static str, table: &'static str, key: &'static str) -> Self {
        Self { columns, table, key, filter: String::new(), values: Vec::new() }
    }

    /// Narrows the rows; `clause` holds one `?`.
    pub(crate) fn and(&mut self, clause: &'static str, value: impl Into<Value>) -> &mut Self {
        self.and_always(clause);
        self.values.push(value.into());
        self
    }

    /// Narrows the rows if there is a value.
    pub(crate) fn and_some(&mut self, clause: &'static str, value: Option<impl Into<Value>>) -> &mut Self {
        match value {
            Some(value) => self.and(clause, value),
            None => self,
        }
    }

    /// Narrows the rows by a clause without a value.
    pub(crate) fn and_always(&mut self, clause: &'static str) -> &mut Self {
        self.filter.push_str(if self.filter.is_empty() { " WHERE " } else { " AND " });
        self.filter.push_str(clause);
        self
    }

    /// How many rows there are.
    pub(crate) fn count(&self, conn: &Connection) -> Result<i64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}{}", self.table, self.filter);
        Ok(conn.prepare_cached(&sql)?.query_row(params_from_iter(&self.values), |row| row.get(0))?)
    }

    /// One page of rows.
    pub(crate) fn page<T>(
        mut self,
        conn: &Connection,
        page: &Page,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let after = self.cursor(conn, page.after.as_deref())?;
        let before = self.cursor(conn, page.before.as_deref())?;
        // From a `before` alone one walks backwards, so that the nearest rows come first, and turns them round.
        let backwards = before.is_some() && after.is_none();
        let (follows, precedes) = if page.ascending { (">", "<") } else { ("<", ">") };
        for (cursor, side) in [(after, follows), (before, precedes)] {
            if let Some((key, sequence)) = cursor {
                self.filter.push_str(if self.filter.is_empty() { " WHERE " } else { " AND " });
                self.filter.push_str(&format!("({}, sequence) {side} (?, ?)", self.key));
                self.values.extend([key, Value::Integer(sequence)]);
            }
        }
        let direction = if page.ascending != backwards { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {} FROM {}{} ORDER BY {} {direction}, sequence {direction} LIMIT ?",
            self.columns, self.table, self.filter, self.key
        );
        self.values.push(Value::Integer(page.limit.into()));
        let mut statement = conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(&self.values), read)?;
        let mut rows = rows.collect::<rusqlite::Result<Vec<T>>>()?;
        if backwards {
            rows.reverse();
        }
        Ok(rows)
    }

    /// Every row, in ascending order.
    pub(crate) fn all<T>(
        self,
        conn: &Connection,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.page(conn, &Page::oldest(u32::MAX), read)
    }

    fn cursor(&self, conn: &Connection, id: Option<&str>) -> Result<Option<(Value, i64)>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let sql = format!("SELECT {}, sequence FROM {} WHERE id = ?", self.key, self.table);
        let found =
            conn.prepare_cached(&sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(found)
    }
}

/// What `instr(lower(column), ?) > 0` looks for: part of a text, case ignored as far as ASCII goes. Unlike LIKE it
/// takes any text of any length as it is.
pub(crate) fn containing(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Texts as the JSON array that `IN (SELECT value FROM json_each(?))` reads; nothing for an empty list.
pub(crate) fn any_of<T: AsRef<str>>(texts: &[T]) -> Option<String> {
    (!texts.is_empty()).then(|| serde_json::Value::from_iter(texts.iter().map(AsRef::as_ref)).to_string())
}

/// A moment as a bound value.
pub(crate) fn moment(at: Timestamp) -> Value {
    Value::Integer(at.0)
}

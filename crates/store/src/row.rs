//! Reading columns as the API's types, and writing them.

use loci_api::{ids, time::Timestamp};
use rusqlite::{
    Row, RowIndex,
    types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError},
};

use crate::StoreError;

/// An id the database gives back as it was written.
pub(crate) trait StoredId: Sized {
    fn stored(text: String) -> Self;
}

macro_rules! stored_ids {
    ($($name:ident)*) => {$(
        impl StoredId for ids::$name {
            fn stored(text: String) -> Self {
                Self::from_trusted(text)
            }
        }
    )*};
}

stored_ids! { AgentId BlockId ToolId MessageId ConversationId RunId StepId ProviderId TraceId SecretId UserId IdentityId
ArchiveId PassageId BudgetId ScoreCardId }

struct Id<T>(T);

impl<T: StoredId> FromSql for Id<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(T::stored(String::column_result(value)?)))
    }
}

struct Json<T>(T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A word of an enum, as serde writes it.
struct Word<T>(T);

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text: serde::de::value::StrDeserializer<'_, ValueError> = value.as_str()?.into_deserializer();
        T::deserialize(text).map(Self).map_err(FromSqlError::other)
    }
}

/// Columns as the API's types.
pub(crate) trait RowExt {
    fn id<T: StoredId>(&self, column: impl RowIndex) -> rusqlite::Result<T>;
    fn opt_id<T: StoredId>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>>;
    fn json<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<T>;
    fn opt_json<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>>;
    fn word<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<T>;
    fn opt_word<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>>;
    fn time(&self, column: impl RowIndex) -> rusqlite::Result<Timestamp>;
    fn opt_time(&self, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>>;
}

impl RowExt for Row<'_> {
    fn id<T: StoredId>(&self, column: impl RowIndex) -> rusqlite::Result<T> {
        self.get::<_, Id<T>>(column).map(|id| id.0)
    }

    fn opt_id<T: StoredId>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>> {
        Ok(self.get::<_, Option<Id<T>>>(column)?.map(|id| id.0))
    }

    fn json<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<T> {
        self.get::<_, Json<T>>(column).map(|json| json.0)
    }

    fn opt_json<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>> {
        Ok(self.get::<_, Option<Json<T>>>(column)?.map(|json| json.0))
    }

    fn word<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<T> {
        self.get::<_, Word<T>>(column).map(|word| word.0)
    }

    fn opt_word<T: DeserializeOwned>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>> {
        Ok(self.get::<_, Option<Word<T>>>(column)?.map(|word| word.0))
    }

    fn time(&self, column: impl RowIndex) -> rusqlite::Result<Timestamp> {
        self.get(column).map(Timestamp)
    }

    fn opt_time(&self, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.get::<_, Option<i64>>(column)?.map(Timestamp))
    }
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

/// A value as JSON text, nothing as NULL.
pub(crate) fn opt_json<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(json).transpose()
}

/// A list as JSON text, an empty one as NULL.
pub(crate) fn list_json<T: Serialize>(values: &[T]) -> Result<Option<String>, StoreError> {
    if values.is_empty() { Ok(None) } else { json(values).map(Some) }
}

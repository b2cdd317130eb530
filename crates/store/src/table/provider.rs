//! Model providers as they are configured. Their keys are in the secret store, never here.

use loci_api::{ids::ProviderId, time::Timestamp};
use rusqlite::{Connection, Row, named_params};

use crate::{Page, StoreError, page::Select, row::RowExt};

/// A provider without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    pub id: ProviderId,
    /// The first half of its models' handles; unique.
    pub name: String,
    /// The kind of endpoint, for example `openai`.
    pub provider_type: String,
    /// `base` or `byok`.
    pub provider_category: String,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
    pub region: Option<String>,
    /// When its models were listed last.
    pub last_synced: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which providers a list holds.
#[derive(Debug, Clone, Default)]
pub struct ProviderFilter {
    pub name: Option<String>,
    pub provider_type: Option<String>,
    pub provider_category: Option<String>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ProviderRow> {
    Ok(ProviderRow {
        id: row.id("id")?,
        name: row.get("name")?,
        provider_type: row.get("provider_type")?,
        provider_category: row.get("provider_category")?,
        base_url: row.get("base_url")?,
        api_version: row.get("api_version")?,
        region: row.get("region")?,
        last_synced: row.opt_time("last_synced")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// The provider with this id.
pub fn get(conn: &Connection, id: &ProviderId) -> Result<Option<ProviderRow>, StoreError> {
    let mut select = Select::new("*", "providers", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// The provider with this name.
pub fn get_by_name(conn: &Connection, name: &str) -> Result<Option<ProviderRow>, StoreError> {
    let mut select = Select::new("*", "providers", "sequence");
    select.and("name = ?", name.to_owned());
    Ok(select.all(conn, read)?.pop())
}

/// A page of providers by creation time.
pub fn list(conn: &Connection, filter: &ProviderFilter, page: &Page) -> Result<Vec<ProviderRow>, StoreError> {
    let mut select = Select::new("*", "providers", "created_at");
    select
        .and_some("name = ?", filter.name.clone())
        .and_some("provider_type = ?", filter.provider_type.clone())
        .and_some("provider_category = ?", filter.provider_category.clone());
    select.page(conn, page, read)
}

/// Adds a provider. [`StoreError::Duplicate`] if its name is taken.
pub fn insert(conn: &Connection, provider: &ProviderRow) -> Result<(), StoreError> {
    write(
        conn,
        "INSERT INTO providers (id, name, provider_type, provider_category, base_url, api_version, region,
           last_synced, created_at, updated_at)
         VALUES (:id, :name, :provider_type, :provider_category, :base_url, :api_version, :region, :last_synced,
           :created_at, :updated_at)",
        provider,
    )
}

/// Writes every column but the time of creation.
pub fn update(conn: &Connection, provider: &ProviderRow) -> Result<(), StoreError> {
    write(
        conn,
        "UPDATE providers SET name = :name, provider_type = :provider_type, provider_category = :provider_category,
           base_url = :base_url, api_version = :api_version, region = :region, last_synced = :last_synced,
           created_at = min(created_at, :created_at), updated_at = :updated_at
         WHERE id = :id",
        provider,
    )
}

/// Adds the provider, or writes it over the one of the same name, which keeps its id. The id it has.
pub fn upsert_by_name(conn: &Connection, provider: &ProviderRow) -> Result<ProviderId, StoreError> {
    match get_by_name(conn, &provider.name)? {
        None => insert(conn, provider).map(|()| provider.id.clone()),
        Some(known) => {
            update(conn, &ProviderRow { id: known.id.clone(), ..provider.clone() })?;
            Ok(known.id)
        }
    }
}

fn write(conn: &Connection, sql: &'static str, provider: &ProviderRow) -> Result<(), StoreError> {
    let written = conn
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": provider.id.as_str(),
            ":name": provider.name,
            ":provider_type": provider.provider_type,
            ":provider_category": provider.provider_category,
            ":base_url": provider.base_url,
            ":api_version": provider.api_version,
            ":region": provider.region,
            ":last_synced": provider.last_synced.map(|at| at.0),
            ":created_at": provider.created_at.0,
            ":updated_at": provider.updated_at.0,
        })
        .map_err(|error| StoreError::from(error).naming(Some(&provider.name)))?;
    if written == 0 { Err(StoreError::not_found("provider", &provider.id)) } else { Ok(()) }
}

/// Deletes a provider. Whether there was one.
pub fn delete(conn: &Connection, id: &ProviderId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM providers WHERE id = ?", [id.as_str()])? > 0)
}

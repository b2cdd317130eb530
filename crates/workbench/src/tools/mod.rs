//! `/workbench/tools`: what the workshop needs of a tool beyond the API: its past, what it is granted here, who uses
//! it, and trying it out while its output comes in.
//!
//! | route | body → answer |
//! |---|---|
//! | `GET tools/{id}/versions?before=&limit=` | → `[{version, changed_by, at, name, description, source_type, source_code, json_schema, args_json_schema, tags, return_char_limit, pip_requirements, npm_requirements, default_requires_approval, enable_parallel_execution}]`, newest first; `before` is the version to go on from |
//! | `POST tools/{id}/versions/{version}/restore` | → the tool as the API shows it; the restored state becomes the newest version. 409 if the old name is taken |
//! | `GET tools/{id}/used-by` | → `[{id, name, requires_approval}]`: the agents it is attached to |
//! | `GET tools/{id}/settings` | → `{network, timeout_seconds, memory_mb, env: {NAME: value}, secret_names: [NAME]}`; values of secrets are never given back |
//! | `PUT tools/{id}/settings` | `{network?, timeout_seconds?, memory_mb?, env?, secrets?: {NAME: value or null}}` → as GET. The whole is replaced; a secret given as null keeps its value, one left out is deleted |
//! | `GET tools/{id}/runs?limit=` | → `[{name, arguments, status, result, confinement, duration_ms, at}]`: test runs, newest first; `tools/new/runs` lists those of source that was not stored |
//! | `POST tools/run` | see [`run`] → an event stream |
//! | `POST tools/schema` | `{source_code, source_type}` → `{name, description, parameters}`, derived on this machine whatever server is in use; 400 says where the source is wrong |
//! | `GET tools/interpreters` | → `{python: {program, version} or null, python_error, node: …, node_error, installers: ["uv"/"pip"/"npm"], confinement: {…}}`: what this machine can run tools with |

pub(crate) mod run;
mod schema;
mod settings;
pub(crate) mod variables;
mod versions;

use axum::{
    Router,
    routing::{get, post},
};

pub(crate) use self::versions::VersionsPage;
use crate::Desk;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/tools/run", post(run::run))
        .route("/tools/schema", post(schema::derive))
        .route("/tools/interpreters", get(run::interpreters))
        .route("/tools/{id}/runs", get(run::list))
        .route("/tools/{id}/versions", get(versions::list))
        .route("/tools/{id}/versions/{version}/restore", post(versions::restore))
        .route("/tools/{id}/used-by", get(versions::used_by))
        .route("/tools/{id}/settings", get(settings::read).put(settings::replace))
}

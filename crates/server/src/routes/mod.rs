//! One file per resource; each offers `routes()` with paths below `/v1`, without trailing slash.

use axum::Router;

use crate::App;

pub(crate) mod health;

pub(crate) fn routes() -> Router<App> {
    Router::new().merge(health::routes())
}

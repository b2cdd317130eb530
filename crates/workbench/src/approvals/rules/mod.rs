//! `/workbench/rules`: every rule can be seen, tried on old calls, tested and revoked.

mod given;
mod kept;
mod shown;
mod tried;

use axum::{
    Router,
    routing::{delete, get, post},
};

pub(super) use self::kept::keep;
use crate::Desk;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/rules", get(kept::list).post(kept::create))
        .route("/rules/{id}", delete(kept::revoke))
        .route("/rules/parse", post(given::read_text))
        .route("/rules/rehearse", post(tried::rehearse))
        .route("/rules/test", post(tried::test))
}

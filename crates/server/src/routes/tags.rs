//! Tags of agents.

use axum::{Json, Router, extract::State, routing::get};
use loci_store::table::agent;

use crate::{
    App,
    error::Answer,
    extract::Params,
    page::{Defaults, page},
};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/tags", get(list))
}

/// Lists the tags in use, each once, in alphabetical order; cursors are tags.
#[utoipa::path(get, path = "/v1/tags/", operation_id = "list_tags", tag = "tags",
    params(
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
        ("query_text" = Option<String>, Query), ("name" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<String>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<String>>> {
    let page = page(&params, Defaults { limit: 50, ascending: true })?;
    let wanted = params.text("name").or(params.text("query_text")).map(str::to_lowercase);
    let mut tags = app.store().read(agent::all_tags).await?;
    tags.retain(|tag| wanted.as_ref().is_none_or(|wanted| tag.to_lowercase().contains(wanted)));
    if !page.ascending {
        tags.reverse();
    }
    // Relative to the order, whether or not a tag of that name is still there.
    let follows = |tag: &String, cursor: &String| if page.ascending { tag > cursor } else { tag < cursor };
    if let Some(after) = &page.after {
        tags.retain(|tag| follows(tag, after));
    }
    if let Some(before) = &page.before {
        tags.retain(|tag| tag != before && !follows(tag, before));
    }
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    if page.before.is_some() && page.after.is_none() {
        tags.drain(..tags.len().saturating_sub(limit));
    }
    tags.truncate(limit);
    Ok(Json(tags))
}

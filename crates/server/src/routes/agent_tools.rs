//! The tools of one agent: which it has, which ask a person first, and running one by hand.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    routing::{get, patch, post},
};
use loci_api::{
    agent::AgentState,
    error::ApiError,
    ids::{AgentId, ToolId},
    resource::Tool,
    rules::{ToolRule, ToolRuleKind},
    tool::{ModifyApprovalRequest, ToolExecuteRequest, ToolExecutionResult},
};
use loci_store::table::{agent, tool};
use serde_json::Value;

use super::agents::after_link;
use crate::{
    App,
    agents::{
        settings::{add_approval_rules, requires_approval},
        state::require,
    },
    error::{Answer, Failure},
    extract::{Client, MaybeBody, Params, Segments},
    page::{Defaults, page},
    run_tool, tools,
};

/// The header of a tool run by hand that says what kept it within bounds.
pub const CONFINEMENT: &str = "x-loci-confinement";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/agents/{agent_id}/tools", get(list))
        .route("/agents/{agent_id}/tools/attach/{tool_id}", patch(attach))
        .route("/agents/{agent_id}/tools/detach/{tool_id}", patch(detach))
        .route("/agents/{agent_id}/tools/approval/{tool_name}", patch(approval))
        .route("/agents/{agent_id}/tools/{tool_name}/run", post(run))
}

/// Lists an agent's tools, 10 unless said otherwise.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/tools", operation_id = "list_tools_for_agent", tag = "agents",
    params(
        ("agent_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Tool>)))]
pub(crate) async fn list(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<Tool>>> {
    let id: AgentId = id.parse()?;
    let page = page(&params, Defaults { limit: 10, ascending: false })?;
    let tools = app
        .store()
        .try_read(move |conn| {
            require(conn, &id)?;
            Ok::<_, Failure>(tool::page_for_agent(conn, &id, &page)?)
        })
        .await?;
    Ok(Json(tools))
}

/// Attaches a tool. A tool that asks for approval by default gets a rule for it. The SDKs are answered `null`.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/tools/attach/{tool_id}", operation_id = "attach_tool_to_agent",
    tag = "agents", params(("agent_id" = String, Path), ("tool_id" = String, Path)),
    responses((status = 200, body = Option<AgentState>)))]
pub(crate) async fn attach(
    State(app): State<App>,
    client: Client,
    Segments((id, tool_id)): Segments<(String, String)>,
) -> Answer<Json<Value>> {
    let (id, tool_id): (AgentId, ToolId) = (id.parse()?, tool_id.parse()?);
    let agent_id = id.clone();
    app.store()
        .try_write(move |tx| {
            let mut row = require(tx, &agent_id)?;
            let tool = tools::require(tx, &tool_id)?;
            let attached = tool::list_for_agent(tx, &agent_id)?.iter().any(|known| known.id == tool_id);
            if !attached {
                tool::attach(tx, &agent_id, &tool_id)?;
                let before = row.tool_rules.len();
                add_approval_rules(&mut row.tool_rules, [&tool]);
                if row.tool_rules.len() != before {
                    agent::update(tx, &row)?;
                }
            }
            Ok::<_, Failure>(())
        })
        .await?;
    after_link(&app, id, client).await
}

/// Detaches a tool; it stays. Also 200 if it was not attached. The SDKs are answered `null`.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/tools/detach/{tool_id}", operation_id = "detach_tool_from_agent",
    tag = "agents", params(("agent_id" = String, Path), ("tool_id" = String, Path)),
    responses((status = 200, body = Option<AgentState>)))]
pub(crate) async fn detach(
    State(app): State<App>,
    client: Client,
    Segments((id, tool_id)): Segments<(String, String)>,
) -> Answer<Json<Value>> {
    let (id, tool_id): (AgentId, ToolId) = (id.parse()?, tool_id.parse()?);
    let agent_id = id.clone();
    app.store()
        .try_write(move |tx| {
            require(tx, &agent_id)?;
            tool::detach(tx, &agent_id, &tool_id)?;
            Ok::<_, Failure>(())
        })
        .await?;
    after_link(&app, id, client).await
}

/// Sets whether a person decides on every call of a tool; given in the body or the query, under either of the
/// names the SDKs use. A name the agent has no tool of is fine: the rule waits for one.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/tools/approval/{tool_name}",
    operation_id = "modify_approval_for_tool", tag = "agents",
    params(("agent_id" = String, Path), ("tool_name" = String, Path), ("requires_approval" = Option<bool>, Query)),
    request_body = Option<ModifyApprovalRequest>, responses((status = 200, body = Option<AgentState>)))]
pub(crate) async fn approval(
    State(app): State<App>,
    client: Client,
    Segments((id, name)): Segments<(String, String)>,
    params: Params,
    MaybeBody(body): MaybeBody<ModifyApprovalRequest>,
) -> Answer<Json<Value>> {
    let id: AgentId = id.parse()?;
    if name.chars().count() > 255 {
        return Err(ApiError::validation("path.tool_name: must have at most 255 characters").into());
    }
    let asked = match body {
        Some(body) => Some(body.requires_approval),
        None => match params.flag("requires_approval")? {
            Some(asked) => Some(asked),
            None => params.flag("body_requires_approval")?,
        },
    };
    let Some(asked) = asked else {
        return Err(
            ApiError::validation("body.requires_approval: Field required, in the body or the query").into()
        );
    };
    let agent_id = id.clone();
    app.store()
        .try_write(move |tx| {
            let mut row = require(tx, &agent_id)?;
            match (asked, requires_approval(&row.tool_rules, &name)) {
                (true, false) => row.tool_rules.push(ToolRule::requires_approval(name)),
                (false, true) => row
                    .tool_rules
                    .retain(|rule| rule.tool_name != name || rule.kind != ToolRuleKind::RequiresApproval),
                (true, true) | (false, false) => return Ok::<_, Failure>(()),
            }
            Ok(agent::update(tx, &row)?)
        })
        .await?;
    after_link(&app, id, client).await
}

/// Runs an attached tool with the agent's variables. A failing tool is an answer with status `error`.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/tools/{tool_name}/run", operation_id = "run_tool_for_agent",
    tag = "agents", params(("agent_id" = String, Path), ("tool_name" = String, Path)),
    request_body = Option<ToolExecuteRequest>, responses((status = 200, body = ToolExecutionResult)))]
pub(crate) async fn run(
    State(app): State<App>,
    Segments((id, name)): Segments<(String, String)>,
    MaybeBody(body): MaybeBody<ToolExecuteRequest>,
) -> Answer<(HeaderMap, Json<ToolExecutionResult>)> {
    let id: AgentId = id.parse()?;
    let (result, confinement) = run_tool::for_agent(&app, id, &name, body.unwrap_or_default().args).await?;
    // The published object has no place for it.
    let told = confinement.and_then(|text| HeaderValue::try_from(text).ok());
    let headers = told.map(|text| (HeaderName::from_static(CONFINEMENT), text)).into_iter().collect();
    Ok((headers, Json(result)))
}

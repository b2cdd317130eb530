//! A rule as it comes in: as text, as a form, or from a call that waits.

use axum::{Json as Answer, extract::State};
use loci_api::{
    error::ApiError,
    ids::{AgentId, MessageId},
};
use loci_server::error::Failure;
use loci_store::{
    Connection, StoreError,
    table::{
        approval_rule::{RuleEffect, RuleRow},
        tool,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        answer,
        binding::Identity,
        remember::{Remember, made},
    },
    shown::names,
};
use crate::{
    Desk,
    client_tools::Kit,
    desk::LOCAL,
    extract::Json,
    rules::{Matches, Scope, parse, sentence, text},
    sentences::Approval,
};

/// Characters of a note.
const LONGEST_NOTE: usize = 2_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    effect: Option<RuleEffect>,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    matches: Option<Matches>,
    #[serde(default)]
    remember: Option<Remember>,
    #[serde(default)]
    message_id: Option<MessageId>,
    #[serde(default)]
    tool_call_id: Option<String>,
    #[serde(default)]
    note: Option<String>,
    /// Of a rehearsal: on how many calls.
    #[serde(default)]
    pub(super) last: Option<u32>,
}

impl Body {
    /// The rule it stands for, checked.
    pub(super) async fn rule(self, desk: &Desk) -> Result<RuleRow, Failure> {
        if self.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
            return Err(ApiError::bad_request(Approval::RuleNoteLong).into());
        }
        let (effect, scope, matches) = match self {
            Self {
                text: Some(written), effect: None, scope: None, matches: None, remember: None, ..
            } => {
                let draft = parse(&written).map_err(|error| ApiError::bad_request(error.said()))?;
                let names = desk.app().store().read(names).await?;
                let scope = draft.scope.resolve(&names).map_err(ApiError::bad_request)?;
                (draft.effect, scope, draft.matches)
            }
            Self {
                remember: Some(remember),
                effect: Some(effect),
                message_id: Some(id),
                tool_call_id: Some(tool_call_id),
                text: None,
                scope: None,
                matches: None,
                note,
                ..
            } => {
                let request = answer::find(desk, &id).await?;
                let call = request.calls.iter().find(|call| call.id == tool_call_id);
                let call = call.ok_or_else(|| ApiError::not_found("The request has no such call."))?;
                return Ok(RuleRow { note, ..remember.rule(&request, call, effect)? });
            }
            Self {
                effect: Some(effect),
                scope: Some(scope),
                matches: Some(matches),
                text: None,
                remember: None,
                ..
            } => (effect, scope, matches),
            Self { .. } => {
                return Err(ApiError::validation(
                    "Give a rule's text; or effect, scope and matches; or remember, effect, message_id and \
                     tool_call_id.",
                )
                .into());
            }
        };
        let (scope, note) = (scope, self.note);
        let wanted = matches.clone();
        let matches = desk.app().store().read(move |conn| bound(conn, wanted)).await?;
        Ok(made(effect, scope, matches, note)?)
    }
}

/// Notes what the tool is now, as far as this desk knows it, so that a rule does not hold for what it becomes.
fn bound(conn: &Connection, mut matches: Matches) -> Result<Matches, StoreError> {
    if let Matches::Tool { tool: name, identity } | Matches::Pattern { tool: name, identity, .. } =
        &mut matches
    {
        let kit = Kit::load(conn, LOCAL, &AgentId::new(), None)?;
        *identity = match (kit.find(name), tool::get_by_name(conn, name)?) {
            // Both exist: which of them is meant depends on what the agent is offered.
            (Some(_), Some(_)) | (None, None) => None,
            (Some(found), None) => Some(found.identity()),
            (None, Some(found)) => Some(Identity::Server(&found).lasting()),
        };
    }
    Ok(matches)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    text: String,
}

#[derive(Serialize)]
pub(super) struct Read {
    effect: RuleEffect,
    scope: Scope,
    matches: Matches,
    text: String,
    sentence: String,
}

pub(super) async fn read_text(
    State(desk): State<Desk>,
    Json(written): Json<Written>,
) -> Result<Answer<Read>, Failure> {
    let draft = parse(&written.text).map_err(|error| {
        let mut refusal = ApiError::bad_request(error.said());
        refusal.body["detail"] =
            serde_json::json!({"code": "RULE_TEXT", "message": error.message.message, "at": error.at});
        refusal
    })?;
    let names = desk.app().store().read(names).await?;
    let scope = draft.scope.resolve(&names).map_err(ApiError::bad_request)?;
    let (effect, matches) = (draft.effect, draft.matches);
    made(effect, scope.clone(), matches.clone(), None)?;
    Ok(Answer(Read {
        text: text(effect, &matches, &scope, &names),
        sentence: sentence(effect, &matches, &scope, &names),
        effect,
        scope,
        matches,
    }))
}

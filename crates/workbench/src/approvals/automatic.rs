//! Answers without a person: what rules decide whole, what ran before a crash, what waited too long. Never allows
//! by time.

use std::{
    collections::HashMap,
    sync::Weak,
    time::{Duration, Instant},
};

use futures::StreamExt;
use loci_api::{ids::MessageId, time::Timestamp};
use loci_server::error::Failure;
use loci_store::table::{
    approval_audit::{AuditEntry, AuditEvent, AuditOutcome, CallKind, append},
    client_call::{self, ClientCall},
};
use serde_json::Value;

use super::{
    Thread,
    answer::{give, resolved},
    decision::{Planned, expired, without_a_person},
    discover::EVERY,
    elsewhere::Elsewhere,
    inbox::MOST,
    masked::masked_text,
    request::Request,
};
use crate::{Desk, desk::WeakDesk, events::Event, settings};

/// How often one looks whether something waits too long, and for what no request of ours brought about.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between looks at the database when nothing is known to wait.
const IDLE_TICKS: u32 = 15;

/// What to answer to a request as it is at that moment; `None`: nothing without a person.
type PlanOf = Box<dyn Fn(&Request) -> Option<Vec<Planned>> + Send>;

impl Desk {
    /// Begins to look after what waits: marks calls a crash cut off, answers what rules decide, and lets time pass.
    /// Call it once, in the runtime the desk lives in.
    pub async fn begin(&self) {
        if let Err(error) = self.mark_unknown().await {
            tracing::error!(error = ?error, "cannot mark the calls that were cut off");
        }
        self.watch_approvals().await;
        self.discover_soon();
        tokio::spawn(tick(self.downgrade()));
    }

    /// What was running when the program ended: nobody knows how far it came.
    async fn mark_unknown(&self) -> Result<(), Failure> {
        self.app()
            .store()
            .write(|tx| {
                for call in client_call::mark_unknown(tx)? {
                    append(tx, &cut_off(&call))?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Looks at what waits in a moment, beside whatever happens now.
    pub(crate) fn look_soon(&self) {
        self.approvals().try_again();
        let desk = self.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { desk.watch_approvals().await });
        }
    }

    /// Looks what waits now: answers what needs no person, and tells what began or ceased to wait since the last
    /// look.
    pub async fn watch_approvals(&self) {
        let pending = self.app().store().read(|conn| Request::list(conn, MOST)).await;
        let pending = match pending {
            Ok(pending) => pending,
            Err(error) => {
                tracing::warn!(%error, "cannot look what waits for approval");
                return;
            }
        };
        let (mut now, mut told) = (HashMap::new(), Vec::new());
        let Elsewhere { requests, unasked } = match self.requests_elsewhere().await {
            Ok(elsewhere) => elsewhere,
            Err(error) => {
                tracing::warn!(error = ?error, "cannot look what waits elsewhere");
                return;
            }
        };
        for request in pending.into_iter().chain(requests) {
            now.insert(request.id.clone(), thread(&request));
            if without_a_person(&request).is_some() && self.approvals().may_answer(&request.id) {
                self.answer_soon(request.id, Box::new(without_a_person));
            } else {
                told.push(request);
            }
        }
        let before = self.approvals().now_waiting(&mut now, &unasked);
        for request in told.iter().filter(|request| !before.contains_key(&request.id)) {
            self.events().tell(waiting(request));
        }
        for (id, thread) in before {
            if !now.contains_key(&id) {
                self.events().tell(Event::ApprovalResolved {
                    agent_id: thread.agent_id.to_string(),
                    conversation_id: thread.conversation_id.map(|id| id.to_string()),
                    message_id: id.to_string(),
                    run_id: None,
                });
            }
        }
    }

    /// Gives the answer that `planned` makes of the request, on a task of its own, unless one is under way.
    fn answer_soon(&self, id: MessageId, planned: PlanOf) {
        let desk = self.clone();
        tokio::spawn(async move {
            let Some(_claim) = desk.approvals().claim(&id) else { return };
            // Since the look it may have been answered, its calls may have run, or a rule may have been revoked.
            let Ok(request) = super::answer::find(&desk, &id).await else { return };
            let Some(plan) = planned(&request) else { return };
            match give(&desk, &request, plan).await {
                Ok(response) if response.status().is_success() => {
                    follow(&desk, &request, response.into_body()).await;
                }
                Ok(response) => {
                    tracing::warn!(status = %response.status(), "an automatic answer was refused");
                    desk.approvals().was_refused(&id);
                    desk.events().tell(waiting(&request));
                }
                Err(error) => {
                    tracing::warn!(error = ?error, "an automatic answer could not be given");
                    desk.approvals().was_refused(&id);
                    desk.events().tell(waiting(&request));
                }
            }
        });
    }

    /// Denies what waited for too long while nobody was there.
    async fn expire(&self, unattended_since: Instant) {
        let hours = match settings::read_settings(self).await {
            Ok(settings) => settings.expire_unattended_hours,
            Err(error) => {
                tracing::warn!(error = ?error, "the settings cannot be read; nothing expires");
                return;
            }
        };
        let Some(limit) = hours.map(|hours| Duration::from_secs_f64(hours * 3_600.0)) else { return };
        if unattended_since.elapsed() < limit {
            return;
        }
        for id in self.approvals().waiting_ids() {
            let Ok(request) = super::answer::find(self, &id).await else { continue };
            if request.found {
                continue;
            }
            let waited = Timestamp::now().0.saturating_sub(request.created_at.0);
            if u128::try_from(waited).is_ok_and(|micros| micros >= limit.as_micros()) {
                let reason = format!(
                    "Nobody was there to decide for {:.1} hours, so the call was denied.",
                    limit.as_secs_f64() / 3_600.0
                );
                self.answer_soon(id, Box::new(move |request| Some(expired(request, &reason))));
            }
        }
    }
}

/// Lets time pass for as long as the desk lives.
async fn tick(desk: WeakDesk) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut attended = Instant::now();
    let mut idle = 0;
    let mut discovered = Instant::now();
    loop {
        ticks.tick().await;
        let Some(desk) = Weak::upgrade(&desk).map(Desk::from_inner) else { return };
        if desk.app().runs().is_closing() {
            return;
        }
        if desk.events().somebody_watches() {
            attended = Instant::now();
            if discovered.elapsed() >= EVERY {
                discovered = Instant::now();
                desk.discover_soon();
            }
        }
        idle += 1;
        let waits = !desk.approvals().waiting_ids().is_empty();
        if idle >= IDLE_TICKS {
            idle = 0;
            desk.watch_approvals().await;
        }
        if waits && !desk.events().somebody_watches() {
            desk.expire(attended).await;
        }
    }
}

/// Reads the stream of the turn that goes on to its end, which also looks what it waits for next. Tells which run
/// it is as soon as that is known.
async fn follow(desk: &Desk, request: &Request, body: axum::body::Body) {
    let mut pieces = body.into_data_stream();
    let (mut begin, mut told) = (Vec::new(), false);
    while let Some(Ok(piece)) = pieces.next().await {
        if !told {
            begin.extend_from_slice(&piece);
            let run = run_id(&begin);
            if run.is_some() || begin.len() > 64 << 10 {
                told = true;
                begin = Vec::new();
                desk.events().tell(resolved(request, run));
            }
        }
    }
    if !told {
        desk.events().tell(resolved(request, None));
    }
}

/// The run of the first frame that names one.
fn run_id(stream: &[u8]) -> Option<String> {
    String::from_utf8_lossy(stream).lines().find_map(|line| {
        let frame: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        frame["run_id"].as_str().map(str::to_owned)
    })
}

fn thread(request: &Request) -> Thread {
    Thread { agent_id: request.agent_id.clone(), conversation_id: request.conversation_id.clone() }
}

fn waiting(request: &Request) -> Event {
    Event::ApprovalWaiting {
        agent_id: request.agent_id.to_string(),
        agent_name: request.agent_name.clone(),
        conversation_id: request.conversation_id.as_ref().map(ToString::to_string),
        message_id: request.id.to_string(),
        tools: request.calls.iter().map(|call| call.name.clone()).collect(),
        dangerous: request.calls.iter().any(|call| request.dangerous(call)),
    }
}

fn cut_off(call: &ClientCall) -> AuditEntry {
    AuditEntry {
        sequence: 0,
        at: Timestamp::now(),
        event: AuditEvent::Finished,
        connection: call.connection.clone(),
        agent_id: Some(call.agent_id.clone()),
        conversation_id: call.conversation_id.clone(),
        message_id: Some(call.message_id.clone()),
        tool_call_id: Some(call.tool_call_id.clone()),
        tool: call.tool.clone(),
        kind: CallKind::Client,
        outcome: AuditOutcome::Unknown,
        decided_by: "loci".to_owned(),
        rule_id: None,
        reason: Some("Loci ended while the call ran.".to_owned()),
        hash: call.hash.clone(),
        arguments: masked_text(call.arguments.as_deref().unwrap_or("{}")),
        original_arguments: None,
        confinement: None,
        facts: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_found_in_the_first_frame_that_names_it() {
        let stream = b": ping\n\ndata: {\"message_type\":\"ping\"}\n\ndata: {\"run_id\":\"run-1\"}\n\ndata: {\"run_id\":";
        assert_eq!(run_id(stream).as_deref(), Some("run-1"));
        assert_eq!(run_id(b"data: [DONE]"), None);
    }
}

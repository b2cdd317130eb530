//! What a request would ask the model, without asking it: the same steps as a run, but nothing is written.

use loci_api::{
    chat::ChatRequest,
    error::ApiError,
    ids::{MessageId, StepId},
    message::Message,
    parse::SendRequest,
    time::Timestamp,
};
use loci_engine::{
    input::{self, AcceptedKind, InputScope},
    ports::Compacted,
    turn::{self as machine, Effect, Input, Stamp, State},
};
use loci_store::{Thread, table::context};
use serde_json::{Map, Value};

use super::{
    accept::{self, Start},
    images,
    live::LiveRun,
    send::Origin,
    turn,
};
use crate::{
    App,
    error::{Answer, Failure},
    prompt,
    stream::Mode,
};

/// The exact body the provider would be sent.
///
/// # Errors
/// As sending would refuse; 400 for an answer to an approval, because tools run before the model is asked.
pub async fn preview(
    app: &App,
    thread: Thread,
    mut request: SendRequest,
    origin: Origin,
) -> Answer<Map<String, Value>> {
    images::fetch(app, &mut request.input).await?;
    let facts = turn::facts(app, &thread, request.override_model.as_deref()).await?;
    let scope = InputScope {
        agent_id: thread.agent_id.clone(),
        conversation_id: thread.conversation_id.clone(),
        run_id: loci_api::ids::RunId::new(),
        now: Timestamp::now(),
        timezone: facts.agent.timezone.clone(),
        context_window: facts.context_window,
    };
    let live = LiveRun::new(scope.run_id.clone(), thread.clone(), false, None, Mode::default());
    let items = request.input.clone();
    let autoclear = facts.agent.message_buffer_autoclear;
    let known = app
        .store()
        .try_read(move |conn| -> Answer<Vec<Message>> {
            let mut known = context::load(conn, &thread)?;
            if let (Some(first), Some(zero)) = (prompt::current(conn, &thread)?, known.first_mut()) {
                *zero = first;
            }
            let accepted = input::accept(&items, &known, None, &scope, MessageId::new)
                .map_err(|refusal| Failure(accept::refusal(&refusal, origin)))?;
            if accepted.kind == AcceptedKind::Approval {
                return Err(ApiError::bad_request(
                    "The answer to an approval runs tools before the model is asked again, so its request cannot be \
                     shown in advance.",
                )
                .into());
            }
            if autoclear {
                known.truncate(1);
            }
            known.extend(accepted.messages);
            Ok(known)
        })
        .await?;
    request.max_steps = request.max_steps.max(1);
    let start =
        Start { context: known, context_tokens: 0, follow_ups: Vec::new(), kind: AcceptedKind::Messages };
    let request = model_request(turn::turn(&live, &request, &facts, start))?;
    match app.models().preview(&request).map_err(|error| Failure::from(&error))? {
        Value::Object(body) => Ok(body),
        other => Ok(Map::from_iter([("body".to_owned(), other)])),
    }
}

/// The first thing the turn would ask the model, with the context as it is now.
fn model_request(turn: loci_engine::ports::Turn) -> Answer<ChatRequest> {
    let mut next = machine::start(turn, stamp());
    loop {
        let (state, effects) = next;
        for effect in effects {
            match effect {
                Effect::CallModel(call) => return Ok(call.request),
                Effect::BeginStep(_)
                | Effect::Commit(_)
                | Effect::Emit(_)
                | Effect::RunTools(_)
                | Effect::Compact(_) => {}
            }
        }
        match state {
            // What would be left out after a compaction is not known before it.
            State::Compacting(_) => {
                next = machine::step(state, Input::Compacted(Compacted::Kept(String::new())), stamp());
            }
            State::Done(outcome) => {
                let why = outcome.error.map(|error| error.message);
                return Err(ApiError::bad_request(
                    why.unwrap_or_else(|| "The model would not be asked.".to_owned()),
                )
                .into());
            }
            State::Sampling(_) | State::RunningTools(_) => {
                return Err(anyhow::anyhow!("a turn begins without asking the model").into());
            }
        }
    }
}

fn stamp() -> Stamp {
    Stamp {
        now: Timestamp::now(),
        monotonic_ns: 0,
        step_id: StepId::new(),
        answer_id: MessageId::new(),
        row_id: MessageId::new(),
    }
}

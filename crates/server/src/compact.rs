//! Making a thread's context shorter: a summary takes the place of its older messages, which stay in the history.
//!
//! Everything is asked of the models first; then the summary, the new context and a fresh message 0 are written in
//! one transaction. Begin with [`compact`].

use std::collections::BTreeSet;

use loci_api::{
    chat::{ChatError, ChatErrorKind, ChatRequest},
    ids::{MessageId, RunId},
    message::{ContentPart, Message, Role},
    summary::{self, Stats},
    time::Timestamp,
};
use loci_engine::{
    compaction::{self, Cut, Own, Plan, Settings, Writer},
    ports::CompactionTrigger,
};
use loci_store::{
    StoreError, Thread,
    table::{context, message},
};

use crate::{
    App,
    agents::create::plain_message,
    complete::complete,
    prompt,
    usage::{Spender, UsageKind},
};

/// A context to be made shorter. The caller holds the thread.
pub struct Job<'a> {
    pub app: &'a App,
    pub thread: &'a Thread,
    pub settings: &'a Settings,
    /// How the agent asks its own model.
    pub own: &'a Own,
    /// What is in the window now, message 0 being the system prompt.
    pub context: &'a [Message],
    pub trigger: CompactionTrigger,
    /// Tokens, estimated or counted.
    pub tokens: u64,
    /// Tokens.
    pub context_window: u32,
    /// IANA name.
    pub timezone: &'a str,
    /// The run it is done in.
    pub run_id: Option<&'a RunId>,
}

/// What was done.
#[derive(Debug)]
pub struct Compaction {
    /// The summary's own words.
    pub text: String,
    /// The row that stands for what went.
    pub row: Message,
    /// What is in the window now.
    pub context: Vec<Message>,
}

/// Why the context stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotCompacted {
    #[error("There is nothing in the context that could be summarised.")]
    Nothing,
    #[error("Summarising the older messages failed: {0}")]
    Model(Box<ChatError>),
    #[error("The conversation was changed while its summary was written.")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A summary, who wrote it, and which messages stay.
struct Draft {
    text: String,
    by: String,
    plan: Plan,
    cut: Cut,
    writer: Writer,
}

/// Does it.
///
/// # Errors
/// [`NotCompacted`]; the context and the history are as before then.
pub async fn compact(job: Job<'_>) -> Result<Compaction, NotCompacted> {
    let (mut draft, fallen) = summarise(&job, job.context, compaction::attempts(job.settings.mode)).await?;
    let mut row = row(&job, &draft);
    let mut context = shortened(job.context, &row, draft.plan.kept_from);
    if draft.cut == Cut::Sliding && tokens(&job, &context) >= compaction::threshold(job.context_window) {
        // What was kept is still too much: all of it goes, the summary just made included.
        match summarise(&job, &context, &[(Cut::All, draft.writer)]).await {
            Ok((more, _)) => {
                let kept_from = job.context.len() - (context.len() - more.plan.kept_from);
                draft = Draft { plan: Plan { kept_from }, ..more };
                row = self::row(&job, &draft);
                context = shortened(job.context, &row, kept_from);
            }
            Err(error) => tracing::debug!(%error, "a context stays longer than it should be"),
        }
    }
    if let Some(error) = fallen {
        tracing::info!(thread = job.thread.id(), by = draft.by, %error, "a context was summarised at second try");
    }
    write(&job, draft.text, row, context).await
}

/// Tries one way after the other. With the summary comes the error of a way that failed before.
async fn summarise(
    job: &Job<'_>,
    context: &[Message],
    attempts: &[(Cut, Writer)],
) -> Result<(Draft, Option<ChatError>), NotCompacted> {
    let mut failed: Option<ChatError> = None;
    // What could not be reached once is not asked again.
    let mut out_of_order = BTreeSet::new();
    for (cut, writer) in attempts {
        let Some(plan) = compaction::plan(context, *cut, job.settings, job.context_window) else { continue };
        for request in requests(job, context, &plan, *writer) {
            let handle = request.handle.clone();
            if out_of_order.contains(&handle) {
                continue;
            }
            let spender = Spender {
                run_id: job.run_id.cloned(),
                agent_id: Some(job.thread.agent_id.clone()),
                conversation_id: job.thread.conversation_id.clone(),
                ..Spender::nobody(UsageKind::Summary)
            };
            match complete(job.app, request, spender).await {
                Ok(done) => {
                    let text = compaction::clipped(&done.text, job.settings, job.context_window);
                    return Ok((Draft { text, by: handle, plan, cut: *cut, writer: *writer }, failed));
                }
                Err(error) => {
                    tracing::warn!(thread = job.thread.id(), model = handle, %error, "a summary was not written");
                    if error.kind != ChatErrorKind::ContextWindowExceeded {
                        out_of_order.insert(handle);
                    }
                    failed = Some(error);
                }
            }
        }
    }
    Err(failed.map_or(NotCompacted::Nothing, |error| NotCompacted::Model(Box::new(error))))
}

/// What is asked, in order: the summariser, with a shorter transcript if it says that the first was too long, then
/// the agent's own model in its place.
fn requests(job: &Job<'_>, context: &[Message], plan: &Plan, writer: Writer) -> Vec<ChatRequest> {
    let Job { own, settings, context_window, .. } = job;
    if writer == Writer::Agent {
        return vec![compaction::own_request(own, &context[..plan.kept_from], settings, *context_window)];
    }
    let gone = &context[1..plan.kept_from];
    let summariser = settings.model.as_deref().filter(|model| *model != own.model);
    let window_of = |model: &str| job.app.models().resolve(model).ok().map(|known| known.context_window);
    let mut requests: Vec<ChatRequest> = Vec::new();
    for (model, window) in summariser
        .and_then(|model| Some((model, window_of(model)?)))
        .into_iter()
        .chain([(own.model.as_str(), *context_window)])
    {
        for room in [window, window / 4] {
            let mut request = compaction::summary_request(model, gone, settings, room);
            // A runtime that sets its window by the request would load the model anew for another one.
            request.options.context_window = Some(window);
            if requests.last() != Some(&request) {
                requests.push(request);
            }
        }
    }
    requests
}

/// The row of a summary; its figures are filled in when the new context is known.
fn row(job: &Job<'_>, draft: &Draft) -> Message {
    let now = Timestamp::now();
    let mut row = plain_message(job.thread, Role::Summary, Vec::new(), now);
    row.model = Some(draft.by.clone());
    row.run_id = job.run_id.cloned();
    let packed = |stats: Option<&Stats>| {
        let text = summary::pack(&draft.text, draft.plan.kept_from - 1, stats, &now.for_model(job.timezone));
        vec![ContentPart::text(text)]
    };
    row.content = packed(None);
    let after = shortened(job.context, &row, draft.plan.kept_from);
    row.content = packed(Some(&Stats {
        trigger: job.trigger.as_str().to_owned(),
        context_tokens_before: Some(job.tokens),
        context_tokens_after: Some(tokens(job, &after)),
        context_window: job.context_window,
        messages_count_before: job.context.len(),
        messages_count_after: after.len(),
    }));
    row
}

fn shortened(context: &[Message], row: &Message, kept_from: usize) -> Vec<Message> {
    let first = context.first().cloned().into_iter();
    first.chain([row.clone()]).chain(context[kept_from..].iter().cloned()).collect()
}

fn tokens(job: &Job<'_>, context: &[Message]) -> u64 {
    compaction::estimate(context) + compaction::estimate_tools(&job.own.tools)
}

/// The history gets the summary, the window its new content, and message 0 is compiled anew: it counts what is out
/// of view.
async fn write(
    job: &Job<'_>,
    text: String,
    row: Message,
    mut context: Vec<Message>,
) -> Result<Compaction, NotCompacted> {
    let thread = job.thread.clone();
    let ids: Vec<MessageId> = context.iter().map(|message| message.id.clone()).collect();
    let expected = (job.context.len(), job.context.last().map(|message| message.id.clone()));
    let summary = row.clone();
    let first = job
        .app
        .store()
        .try_write(move |tx| {
            let tail = context::tail(tx, &thread)?;
            if tail.is_none_or(|(len, last)| (len, Some(last)) != expected) {
                return Err(NotCompacted::Changed);
            }
            message::insert(tx, &summary)?;
            context::replace(tx, &thread, &ids)?;
            Ok(prompt::renew(tx, &thread)?)
        })
        .await?;
    if let (Some(first), Some(zero)) = (first, context.first_mut()) {
        *zero = first;
    }
    Ok(Compaction { text, row, context })
}

//! Making vectors of passages, in the background, with the embedder each archive has chosen and no other. Whatever
//! keeps one from answering is kept for the person; full text goes on working meanwhile.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use loci_api::{
    archive::Archive,
    chat::{ChatError, ChatErrorKind, Usage},
    ids::ArchiveId,
    said::Said,
    time::Timestamp,
};
use loci_llm::TextRole;
use loci_store::{
    Page, StoreError,
    table::{
        archive::{self, ArchiveFilter},
        passage::{self, PassageFilter, Pending, Progress},
    },
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    App,
    agents::settings::embedding as embedding_config,
    archival::require_archive,
    error::{Answer, Failure},
    usage::{self, Spender, UsageKind},
};

/// Passages of one request.
const BATCH: u32 = 32;
/// How long an embedder that failed is left alone.
const REST: Duration = Duration::from_secs(15);
/// How long one batch may take; a small machine needs its time.
const PATIENCE: Duration = Duration::from_secs(180);

/// What an [`App`] knows of embedding besides the rows.
#[derive(Default)]
pub struct Embedding {
    state: Mutex<State>,
    /// Ends the work in the background.
    pub(crate) stop: CancellationToken,
}

#[derive(Default)]
struct State {
    running: bool,
    /// Something came while it was running.
    again: bool,
    /// Why an embedder did not answer, by handle.
    problems: HashMap<String, Problem>,
}

#[derive(Debug, Clone)]
struct Problem {
    said: Said,
    at: Timestamp,
    since: Instant,
}

impl Embedding {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, handle: &str, error: &ChatError) {
        let problem = Problem {
            said: error.kind.said(error.message.clone()),
            at: Timestamp::now(),
            since: Instant::now(),
        };
        self.state().problems.insert(handle.to_owned(), problem);
    }

    fn worked(&self, handle: &str) {
        self.state().problems.remove(handle);
    }

    fn is_resting(&self, handle: &str) -> bool {
        self.state().problems.get(handle).is_some_and(|problem| problem.since.elapsed() < REST)
    }

    /// Lets embedders that failed be asked again at once, for example after a provider was added.
    pub fn forget_problems(&self) {
        self.state().problems.clear();
    }
}

/// The handle of an archive's embedder.
#[must_use]
pub fn handle_of(archive: &Archive) -> Option<String> {
    archive.embedding_config.as_ref().map(loci_api::agent::EmbeddingConfig::to_handle)
}

/// The vector of a query, of length 1; `None` if its embedder does not answer in time.
pub async fn of_query(app: &App, handle: &str, query: &str, patience: Duration) -> Option<Vec<f32>> {
    if app.embedding().is_resting(handle) {
        return None;
    }
    let made =
        tokio::time::timeout(patience, make(app, handle, vec![query.to_owned()], TextRole::Query)).await;
    match made {
        Ok(Ok(mut vectors)) => vectors.pop(),
        Ok(Err(error)) => {
            app.embedding().failed(handle, &error);
            None
        }
        Err(_) => {
            app.embedding().failed(handle, &too_slow(handle, patience));
            None
        }
    }
}

fn too_slow(handle: &str, patience: Duration) -> ChatError {
    ChatError {
        kind: ChatErrorKind::LlmTimeout,
        message: format!("The embedder {handle} did not answer within {} seconds.", patience.as_secs()),
        detail: None,
        status: None,
        retry_after_ms: None,
        trace: None,
    }
}

/// Makes one vector of length 1 per text. What it used is written down.
async fn make(
    app: &App,
    handle: &str,
    texts: Vec<String>,
    role: TextRole,
) -> Result<Vec<Vec<f32>>, ChatError> {
    let wanted = texts.len();
    let made = app.models().embedder(handle)?.embed(&texts, role).await?;
    let used = Usage { prompt_tokens: made.prompt_tokens.unwrap_or(0), ..Usage::default() };
    usage::record(app, handle, &used, Spender::nobody(UsageKind::Embedding)).await;
    let vectors: Vec<Vec<f32>> = made.vectors.into_iter().filter_map(normalised).collect();
    if vectors.len() == wanted {
        return Ok(vectors);
    }
    Err(ChatError {
        kind: ChatErrorKind::LlmError,
        message: format!(
            "The embedder {handle} answered with {} usable vectors for {wanted} texts.",
            vectors.len()
        ),
        detail: None,
        status: None,
        retry_after_ms: None,
        trace: None,
    })
}

/// The vector with length 1; `None` for one that has no direction.
fn normalised(vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|number| f64::from(*number) * f64::from(*number)).sum::<f64>().sqrt();
    (length.is_finite() && length > 0.0)
        .then(|| vector.into_iter().map(|number| (f64::from(number) / length) as f32).collect())
}

/// Begins to make the vectors that are missing, in the background. Needs a tokio runtime; does nothing without.
pub fn catch_up(app: &App) {
    if tokio::runtime::Handle::try_current().is_err() || app.embedding().stop.is_cancelled() {
        return;
    }
    {
        let mut state = app.embedding().state();
        if state.running {
            state.again = true;
            return;
        }
        state.running = true;
    }
    let worker = app.clone();
    // Shutting down waits for it, after it was stopped.
    app.runs().spawn(async move {
        let app = worker;
        let stop = app.embedding().stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => {}
                done = pass(&app) => if let Err(error) = done {
                    tracing::warn!(%error, "making vectors of passages stopped");
                },
            }
            let mut state = app.embedding().state();
            if !std::mem::take(&mut state.again) || stop.is_cancelled() {
                state.running = false;
                return;
            }
        }
    });
}

/// Goes through every archive once.
async fn pass(app: &App) -> Result<(), StoreError> {
    let archives = app.store().read(archive::list_embedded).await?;
    for archive in archives {
        let Some(handle) = handle_of(&archive) else { continue };
        while !app.embedding().is_resting(&handle) {
            let (id, model) = (archive.id.clone(), handle.clone());
            let batch = app.store().read(move |conn| passage::pending(conn, &id, &model, BATCH)).await?;
            if batch.is_empty() {
                break;
            }
            if let Err(error) = embed(app, &handle, batch).await? {
                app.embedding().failed(&handle, &error);
                break;
            }
            app.embedding().worked(&handle);
        }
    }
    Ok(())
}

/// Makes and writes the vectors of a batch. A batch that is refused is tried one by one, so that one bad passage does
/// not hold up the others; an embedder that cannot be reached is an error.
async fn embed(app: &App, handle: &str, batch: Vec<Pending>) -> Result<Result<(), ChatError>, StoreError> {
    let texts = batch.iter().map(|pending| pending.text.clone()).collect();
    match in_time(app, handle, texts).await {
        Ok(vectors) => {
            write(app, handle, batch.iter().map(|pending| pending.sequence).zip(vectors).collect()).await?;
            return Ok(Ok(()));
        }
        Err(error) if is_about_the_text(&error) => {}
        Err(error) => return Ok(Err(error)),
    }
    for pending in batch {
        match in_time(app, handle, vec![pending.text]).await {
            Ok(vectors) => {
                write(app, handle, vectors.into_iter().map(|vector| (pending.sequence, vector)).collect())
                    .await?;
            }
            Err(error) if is_about_the_text(&error) => {
                let sequence = pending.sequence;
                app.store().write(move |tx| passage::set_vector_error(tx, sequence, &error.message)).await?;
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

fn is_about_the_text(error: &ChatError) -> bool {
    matches!(
        error.kind,
        ChatErrorKind::LlmBadRequest
            | ChatErrorKind::LlmUnprocessableEntity
            | ChatErrorKind::ContextWindowExceeded
    )
}

async fn in_time(app: &App, handle: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ChatError> {
    match tokio::time::timeout(PATIENCE, make(app, handle, texts, TextRole::Passage)).await {
        Ok(made) => made,
        Err(_) => Err(too_slow(handle, PATIENCE)),
    }
}

async fn write(app: &App, handle: &str, vectors: Vec<(i64, Vec<f32>)>) -> Result<(), StoreError> {
    let handle = handle.to_owned();
    app.store()
        .write(move |tx| {
            vectors
                .iter()
                .try_for_each(|(sequence, vector)| passage::set_vector(tx, *sequence, &handle, vector))
        })
        .await
}

/// How far the vectors of an archive are, and what is the matter.
#[derive(Debug, Clone, Serialize)]
pub struct ArchiveStatus {
    pub archive_id: ArchiveId,
    pub name: String,
    /// The embedder; `None`: full text only.
    pub handle: Option<String>,
    pub passages: i64,
    pub embedded: i64,
    /// Passages the embedder refused.
    pub failed: i64,
    /// Why the embedder does not answer or refused a passage, if so.
    pub problem: Option<Said>,
    pub problem_at: Option<Timestamp>,
}

/// How far each archive is.
///
/// # Errors
/// If the database cannot be read.
pub async fn status(app: &App) -> Result<Vec<ArchiveStatus>, StoreError> {
    let problems: BTreeMap<String, (Said, Timestamp)> = app
        .embedding()
        .state()
        .problems
        .iter()
        .map(|(handle, problem)| (handle.clone(), (problem.said.clone(), problem.at)))
        .collect();
    app.store()
        .read(move |conn| {
            let mut all = Vec::new();
            for archive in archive::list(conn, &ArchiveFilter::default(), &Page::oldest(u32::MAX))? {
                let Some(handle) = handle_of(&archive) else {
                    let filter =
                        PassageFilter { archive_id: Some(archive.id.clone()), ..PassageFilter::default() };
                    all.push(ArchiveStatus {
                        passages: passage::count(conn, &filter)?,
                        archive_id: archive.id,
                        name: archive.name,
                        handle: None,
                        embedded: 0,
                        failed: 0,
                        problem: None,
                        problem_at: None,
                    });
                    continue;
                };
                let (Progress { passages, embedded, failed }, refused) =
                    passage::progress(conn, &archive.id, &handle)?;
                let known = problems.get(&handle).cloned();
                all.push(ArchiveStatus {
                    archive_id: archive.id,
                    name: archive.name,
                    passages,
                    embedded,
                    failed,
                    problem_at: known.as_ref().map(|(_, at)| *at),
                    problem: known.map(|(said, _)| said).or(refused.map(Said::from)),
                    handle: Some(handle),
                });
            }
            Ok(all)
        })
        .await
}

/// Chooses the embedder of an archive, or of all of them; `None` leaves full text only. Passages with vectors of
/// another one count as without, and are embedded anew in the background.
///
/// # Errors
/// 400 for a handle that means nothing, 404 for an unknown archive.
pub async fn choose(app: &App, archive_id: Option<ArchiveId>, handle: Option<&str>) -> Answer<()> {
    let config = handle.map(|handle| embedding_config(app, handle, None)).transpose()?;
    app.store()
        .try_write(move |tx| {
            let archives = match archive_id {
                Some(id) => vec![require_archive(tx, &id)?],
                None => archive::list(tx, &ArchiveFilter::default(), &Page::oldest(u32::MAX))?,
            };
            for mut archive in archives {
                if archive.embedding_config != config {
                    archive.embedding_config.clone_from(&config);
                    archive.updated_at = Some(Timestamp::now());
                    archive::update(tx, &archive)?;
                    passage::forget_errors(tx, &archive.id)?;
                }
            }
            Ok::<_, Failure>(())
        })
        .await?;
    app.embedding().forget_problems();
    catch_up(app);
    Ok(())
}

/// Tries everything again that did not work.
///
/// # Errors
/// If the database cannot be written.
pub async fn retry(app: &App) -> Answer<()> {
    app.store()
        .write(|tx| {
            archive::list_embedded(tx)?.iter().try_for_each(|archive| passage::forget_errors(tx, &archive.id))
        })
        .await?;
    app.embedding().forget_problems();
    catch_up(app);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_get_length_one_or_none() {
        assert_eq!(normalised(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        for bad in [vec![], vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY]] {
            assert_eq!(normalised(bad), None);
        }
    }
}

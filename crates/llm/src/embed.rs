//! Vectors of texts from the embedder that was chosen, or an error that says why not. Never from another one.

mod wire;

use std::{sync::Arc, time::Duration};

use loci_api::chat::{ChatError, ChatErrorKind};
use reqwest::{Client, Url, header::CONTENT_TYPE};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::{
    error::Blame,
    http::{headers, read, retry_after, unreachable},
    listing::EmbeddingInfo,
    models::Options,
    provider::Provider,
};

/// What a text is for. Some models put a question and its answer near each other only if told which is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRole {
    /// Kept, to be found.
    Passage,
    /// Searched with.
    Query,
}

/// The vectors of some texts, in their order, all of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    pub vectors: Vec<Vec<f32>>,
    /// Length of each vector; 0 if there were no texts.
    pub dimensions: u32,
    /// What the provider counted, where it tells.
    pub prompt_tokens: Option<u64>,
}

/// One embedding model of one provider. Cheap to clone.
#[derive(Clone)]
pub struct Embedder {
    provider: Arc<Provider>,
    info: EmbeddingInfo,
    options: Options,
    url: Url,
}

/// Texts sent at once.
const BATCH: usize = 64;
/// Characters sent at once: below the tokens any known provider takes in one request.
const BATCH_CHARS: usize = 200_000;
/// Bytes of an answer: 64 vectors of a few thousand numbers are far below.
const MAX_ANSWER: usize = 64 << 20;
/// A local runtime may have to load the model first.
const PATIENCE: Duration = Duration::from_secs(120);

impl Embedder {
    pub(crate) fn new(
        provider: Arc<Provider>,
        info: EmbeddingInfo,
        options: Options,
    ) -> Result<Self, ChatError> {
        let url = provider.wire.embed_url(&provider.base, &info.model).ok_or_else(|| {
            let message = format!(
                "`{}` makes no embeddings. Choose an embedding model of another provider; until then, search is by words.",
                info.provider_name
            );
            plain(ChatErrorKind::LlmBadRequest, message)
        })?;
        Ok(Self { provider, info, options, url })
    }

    /// `provider/model`.
    #[must_use]
    pub fn handle(&self) -> &str {
        &self.info.handle
    }

    /// Length of its vectors, if that is known before the first use.
    #[must_use]
    pub fn dimensions(&self) -> Option<u32> {
        Some(self.info.dimensions).filter(|dimensions| *dimensions > 0)
    }

    /// The vectors of these texts. Long lists go out in several requests, one after the other; each is tried again
    /// where that helps. Texts longer than the model reads are cut by the provider.
    ///
    /// # Errors
    /// What the provider or the network said, or that what came back cannot be used: too few vectors, of different
    /// lengths, or with something else than numbers.
    pub async fn embed(&self, texts: &[String], role: TextRole) -> Result<Embedded, ChatError> {
        let mut all =
            Embedded { vectors: Vec::with_capacity(texts.len()), dimensions: 0, prompt_tokens: None };
        for batch in batches(texts) {
            let embedded = self.batch(batch, role).await?;
            if all.dimensions != 0 && embedded.dimensions != all.dimensions {
                let detail = format!("vectors of {} and of {} numbers", all.dimensions, embedded.dimensions);
                return Err(self.blame().error(ChatErrorKind::LlmError, &detail));
            }
            all.dimensions = embedded.dimensions;
            all.vectors.extend(embedded.vectors);
            all.prompt_tokens = match (all.prompt_tokens, embedded.prompt_tokens) {
                (Some(before), Some(new)) => Some(before.saturating_add(new)),
                (before, new) => before.or(new),
            };
        }
        Ok(all)
    }

    async fn batch(&self, texts: &[String], role: TextRole) -> Result<Embedded, ChatError> {
        let blame = self.blame();
        let client = self
            .provider
            .clients
            .get(&self.provider.base, self.provider.connect)
            .map_err(|error| blame.error(ChatErrorKind::LlmError, &error))?;
        let body = wire::body(self.provider.wire, &self.info.model, texts, role).to_string();
        let began = Instant::now();
        let mut number = 0;
        loop {
            number += 1;
            let error = match self.send(&client, &blame, body.clone()).await {
                Ok(answer) => {
                    return wire::read(self.provider.wire, &answer, texts.len()).map_err(|what| {
                        blame.said(&answer).unwrap_or_else(|| blame.error(ChatErrorKind::LlmError, &what))
                    });
                }
                Err(error) => error,
            };
            let delay = self.options.retry.delay(number, began.elapsed(), &error, fastrand::f64());
            let Some(delay) = delay else { return Err(error) };
            tracing::debug!(kind = ?error.kind, number, "embedding failed, trying again");
            tokio::time::sleep(delay).await;
        }
    }

    async fn send(&self, client: &Client, blame: &Blame, body: String) -> Result<Value, ChatError> {
        let request = client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .headers(headers(self.provider.wire, &self.provider.config, Vec::new()))
            .body(body);
        let answer = async {
            let response = request.send().await?;
            let (status, wait) = (response.status().as_u16(), retry_after(response.headers()));
            Ok((status, wait, read(response, MAX_ANSWER).await?))
        };
        let patience = self.options.timeouts.whole.min(PATIENCE);
        let (status, wait, body) = match timeout(patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(unreachable(error, blame)),
            Err(_) => {
                let detail = format!("no embedding came within {} seconds", patience.as_secs());
                return Err(blame.error(ChatErrorKind::LlmTimeout, &detail));
            }
        };
        let body = body.ok_or_else(|| blame.error(ChatErrorKind::LlmError, "the answer is too large"))?;
        if !(200..300).contains(&status) {
            let mut error = blame.refusal(status, &body);
            error.retry_after_ms = wait.or(error.retry_after_ms);
            return Err(error);
        }
        serde_json::from_slice(&body).map_err(|error| {
            let detail = format!("the answer is not JSON; is the base URL right? {error}");
            blame.error(ChatErrorKind::LlmError, &detail)
        })
    }

    fn blame(&self) -> Blame {
        self.provider.blame(&self.info.handle)
    }
}

pub(crate) fn plain(kind: ChatErrorKind, message: String) -> ChatError {
    ChatError { kind, message, detail: None, status: None, retry_after_ms: None, trace: None }
}

/// As many at once as fit.
fn batches(texts: &[String]) -> impl Iterator<Item = &[String]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let mut chars = 0_usize;
        let fitting = rest.iter().take(BATCH).take_while(|text| {
            chars = chars.saturating_add(text.len());
            chars <= BATCH_CHARS
        });
        // One that alone is too long still goes; the provider cuts or refuses it.
        let take = fitting.count().max(1).min(rest.len());
        let (batch, later) = rest.split_at(take);
        rest = later;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_everything_once_and_no_more_than_fits() {
        let small: Vec<String> = (0..130).map(|number| number.to_string()).collect();
        let lengths: Vec<_> = batches(&small).map(<[String]>::len).collect();
        assert_eq!(lengths, [64, 64, 2]);
        assert_eq!(batches(&small).flatten().count(), 130);
        let long = vec!["x".repeat(150_000); 3];
        assert_eq!(batches(&long).map(<[String]>::len).collect::<Vec<_>>(), [1, 1, 1]);
        let huge = vec!["x".repeat(300_000)];
        assert_eq!(batches(&huge).count(), 1);
        assert_eq!(batches(&[]).count(), 0);
    }
}

//! A check as it is made: asked, judged, and told apart from a provider that refuses or is not there.

use std::time::Instant;

use loci_api::chat::{ChatError, ChatErrorKind};
use loci_llm::ResolvedModel;
use serde_json::{Value, json};

use super::{
    Check, CheckName, Plan, Verdict,
    ask::{Reply, shown},
    context,
    finding::{Advice, Finding},
    suite::{replies, tools},
};
use crate::App;

/// A verdict with what it rests on.
pub(super) struct Judged {
    pub verdict: Verdict,
    pub finding: Finding,
    pub advice: Option<Advice>,
    pub evidence: Value,
}

impl Judged {
    pub fn pass(reply: &Reply, finding: Finding) -> Self {
        Self { verdict: Verdict::Pass, finding, advice: None, evidence: reply.evidence() }
    }

    pub fn bad(verdict: Verdict, reply: &Reply, finding: Finding, advice: Advice) -> Self {
        Self { verdict, finding, advice: Some(advice), evidence: reply.evidence() }
    }

    fn into_check(self, name: CheckName, duration_ms: u64) -> Check {
        Check {
            name,
            verdict: self.verdict,
            detail: self.finding.sentence(&self.evidence),
            remedy: self.advice.map(|advice| advice.sentence(&self.evidence)),
            finding: Some(self.finding),
            advice: self.advice,
            evidence: self.evidence,
            needed: name.is_needed(),
            duration_ms,
        }
    }
}

/// Makes one check; the sentence says why the model cannot be asked at all, if so.
pub(super) async fn check(
    app: &App,
    model: &ResolvedModel,
    plan: &Plan,
    name: CheckName,
) -> (Check, Option<String>) {
    let began = Instant::now();
    let made = match name {
        CheckName::PlainReply => replies::plain(app, model).await,
        CheckName::StreamedReply => replies::streamed(app, model).await,
        CheckName::ToolCall => tools::tool_call(app, model).await,
        CheckName::ParallelCalls => tools::parallel(app, model).await,
        CheckName::NestedArguments => tools::nested(app, model).await,
        CheckName::ToolErrorRecovery => tools::recovery(app, model).await,
        CheckName::ForcedTool => tools::forced(app, model).await,
        CheckName::Image => replies::image(app, model).await,
        CheckName::MemoryRecall => replies::recall(app, model).await,
        CheckName::ContextLength => context::find(app, model, plan.context_tokens).await,
        CheckName::Speed => replies::speed(app, model).await,
    };
    let (judged, gone) = match made {
        Ok(judged) => (judged, None),
        Err(error) => {
            let gone = is_unreachable(&error).then(|| error.message.clone());
            (refused(name, &error), gone)
        }
    };
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    (judged.into_check(name, took), gone)
}

/// A check that was not made.
pub(super) fn skipped(name: CheckName, why: &str) -> Check {
    let evidence = json!({"said": why});
    let judged = Judged { verdict: Verdict::Skipped, finding: Finding::NotAsked, advice: None, evidence };
    judged.into_check(name, 0)
}

/// Whether asking again would end the same, whatever the question.
fn is_unreachable(error: &ChatError) -> bool {
    matches!(
        error.kind,
        ChatErrorKind::LlmAuthentication
            | ChatErrorKind::LlmPermissionDenied
            | ChatErrorKind::LlmNotFound
            | ChatErrorKind::UnknownModel
            | ChatErrorKind::LlmInsufficientCredits
            | ChatErrorKind::BudgetExceeded
            | ChatErrorKind::LlmConnection
    )
}

/// The provider did not answer the question.
fn refused(name: CheckName, error: &ChatError) -> Judged {
    let unable = matches!(
        error.kind,
        ChatErrorKind::LlmBadRequest | ChatErrorKind::LlmUnprocessableEntity | ChatErrorKind::LlmServerError
    );
    let verdict = if unable && !name.is_needed() { Verdict::Warn } else { Verdict::Fail };
    let advice = match name {
        _ if is_unreachable(error) => Advice::LookAtAnswer,
        CheckName::Image => Advice::NoImages,
        CheckName::ForcedTool => Advice::ForcedInWords,
        CheckName::ToolCall | CheckName::NestedArguments | CheckName::ToolErrorRecovery => {
            Advice::ToolTemplate
        }
        CheckName::PlainReply
        | CheckName::StreamedReply
        | CheckName::ParallelCalls
        | CheckName::MemoryRecall
        | CheckName::ContextLength
        | CheckName::Speed => Advice::LookAtAnswer,
    };
    let evidence = json!({
        "said": shown(&error.message),
        "error_type": error.kind.error_type(),
        "status": error.status,
        "detail": error.detail.as_deref().map(shown),
    });
    Judged { verdict, finding: Finding::Refused, advice: Some(advice), evidence }
}

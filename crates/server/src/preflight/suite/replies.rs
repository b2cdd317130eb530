//! Answers in words: plain, streamed, about an image, out of a memory block, and how fast they come.

use std::time::Duration;

use loci_api::{
    chat::{ChatError, ChatMessage, FinishReason},
    message::{ContentPart, ImageSource},
};
use loci_llm::ResolvedModel;
use serde_json::json;

use crate::{
    App,
    preflight::{
        Verdict,
        ask::{Question, ask, user},
        finding::{Advice, Finding},
        judged::Judged,
    },
};

/// A red square of 96 by 96 points, PNG.
const RED_SQUARE: &str = "iVBORw0KGgoAAAANSUhEUgAAAGAAAABgCAIAAABt+uBvAAAAjklEQVR42u3QMQ0AAAgDsImYf2WIwQEnV5MqaKblEAWCBAkSJEiQIEEIEiRIkCBBggQhSJAgQYIECRKEIEGCBAkSJEiQIAQJEiRIkCBBghAkSJAgQYIECUKQIEGCBAkSJEgQggQJEiRIkCBBCBIkSJAgQYIEIUiQIEGCBAkSJAhBggQJEiRIkCAECRL0ZwGrRZIdZg5OJQAAAABJRU5ErkJggg==";
/// Below this many tokens a second a conversation is tedious.
const SLOW: f64 = 5.0;

pub(in crate::preflight) async fn plain(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question { stream: false, ..Question::says("Reply with exactly one word: heron") };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.text.to_lowercase().contains("heron") {
        Judged::pass(&reply, Finding::Answers)
    } else if reply.text.trim().is_empty() {
        Judged::bad(Verdict::Fail, &reply, Finding::AnswersWithoutText, Advice::MoreRoom)
    } else {
        Judged::bad(Verdict::Warn, &reply, Finding::MissesInstruction, Advice::LargerForInstructions)
    })
}

pub(in crate::preflight) async fn streamed(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let reply =
        ask(app, &model.handle, Question::says("Count from 1 to 20 in digits, separated by spaces.")).await?;
    Ok(if reply.text.trim().is_empty() {
        Judged::bad(Verdict::Fail, &reply, Finding::StreamsNothing, Advice::NoStreaming)
    } else if reply.finish == Some(FinishReason::Length) {
        Judged::bad(Verdict::Warn, &reply, Finding::CutShort, Advice::RaiseOutputLimit)
    } else if reply.pieces < 2 {
        Judged::bad(Verdict::Warn, &reply, Finding::OnePiece, Advice::HeldBack)
    } else {
        Judged::pass(&reply, Finding::Streams)
    })
}

pub(in crate::preflight) async fn image(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let content = vec![
        ContentPart::text("Which colour is this square? Answer with one word."),
        ContentPart::Image {
            source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: RED_SQUARE.to_owned() },
        },
    ];
    let question = Question { messages: vec![ChatMessage::User { content }], ..Question::says("") };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.text.to_lowercase().contains("red") {
        Judged::pass(&reply, Finding::SeesImages)
    } else {
        Judged::bad(Verdict::Warn, &reply, Finding::DoesNotSeeImages, Advice::NoImages)
    })
}

pub(in crate::preflight) async fn recall(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let system = "You are an assistant with a memory. What you remember stands between the tags.\n\n<memory_blocks>\n\
                  <human>\n<value>\nThe person is called Mira. Her locker at the swimming pool has the number 4711. She \
                  is allergic to walnuts.\n</value>\n</human>\n</memory_blocks>";
    let question = Question {
        messages: vec![
            ChatMessage::System { text: system.to_owned() },
            user("Which number does my locker have? Answer with the number only."),
        ],
        ..Question::says("")
    };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.text.contains("4711") {
        Judged::pass(&reply, Finding::Recalls)
    } else {
        Judged::bad(Verdict::Fail, &reply, Finding::DoesNotRecall, Advice::PromptMayBeLost)
    })
}

pub(in crate::preflight) async fn speed(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question {
        patience: Duration::from_secs(240),
        ..Question::says("Write about two hundred words about herons.")
    };
    let reply = ask(app, &model.handle, question).await?;
    let writing = reply.whole.saturating_sub(reply.first.unwrap_or_default()).max(Duration::from_millis(1));
    let rate = reply.tokens() as f64 / writing.as_secs_f64();
    let mut evidence = reply.evidence();
    let tenth = |number: f64| json!((number * 10.0).round() / 10.0);
    evidence["tokens_per_second"] = tenth(rate);
    evidence["first_seconds"] = tenth(reply.first.unwrap_or(reply.whole).as_secs_f64());
    if reply.text.trim().is_empty() {
        return Ok(Judged::bad(Verdict::Warn, &reply, Finding::SpeedUnknown, Advice::TryAgain));
    }
    let finding = if reply.usage.completion_tokens == 0 { Finding::SpeedEstimated } else { Finding::Speed };
    let (verdict, advice) =
        if rate < SLOW { (Verdict::Warn, Some(Advice::Faster)) } else { (Verdict::Pass, None) };
    Ok(Judged { verdict, finding, advice, evidence })
}

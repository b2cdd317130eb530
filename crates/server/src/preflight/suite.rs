//! The suite: for each check the question, what a good answer is, and what to do about a bad one.

use std::time::{Duration, Instant};

use loci_api::{
    chat::{ChatError, ChatErrorKind, ChatMessage, ChatToolReturn, FinishReason, ToolChoice, ToolSpec},
    message::{ContentPart, ImageSource, ToolCall},
};
use loci_llm::ResolvedModel;
use serde_json::{Value, json};

use super::{
    Check, CheckName, Plan, Verdict,
    ask::{Question, Reply, ask, shown, user},
    context,
};
use crate::App;

/// A red square of 96 by 96 points, PNG.
const RED_SQUARE: &str = "iVBORw0KGgoAAAANSUhEUgAAAGAAAABgCAIAAABt+uBvAAAAjklEQVR42u3QMQ0AAAgDsImYf2WIwQEnV5MqaKblEAWCBAkSJEiQIEEIEiRIkCBBggQhSJAgQYIECRKEIEGCBAkSJEiQIAQJEiRIkCBBghAkSJAgQYIECUKQIEGCBAkSJEgQggQJEiRIkCBBCBIkSJAgQYIEIUiQIEGCBAkSJAhBggQJEiRIkCAECRL0ZwGrRZIdZg5OJQAAAABJRU5ErkJggg==";
/// Below this many tokens a second a conversation is tedious.
const SLOW: f64 = 5.0;

/// A verdict with its sentence and remedy.
pub(super) struct Judged {
    pub verdict: Verdict,
    pub detail: String,
    pub remedy: Option<String>,
    pub evidence: Value,
}

impl Judged {
    fn pass(reply: &Reply, detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Pass, detail: detail.into(), remedy: None, evidence: reply.evidence() }
    }

    fn bad(verdict: Verdict, reply: &Reply, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict, detail: detail.into(), remedy: Some(remedy.into()), evidence: reply.evidence() }
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
        CheckName::PlainReply => plain(app, model).await,
        CheckName::StreamedReply => streamed(app, model).await,
        CheckName::ToolCall => tool_call(app, model).await,
        CheckName::ParallelCalls => parallel(app, model).await,
        CheckName::NestedArguments => nested(app, model).await,
        CheckName::ToolErrorRecovery => recovery(app, model).await,
        CheckName::ForcedTool => forced(app, model).await,
        CheckName::Image => image(app, model).await,
        CheckName::MemoryRecall => recall(app, model).await,
        CheckName::ContextLength => context::find(app, model, plan.context_tokens).await,
        CheckName::Speed => speed(app, model).await,
    };
    let (judged, gone) = match made {
        Ok(judged) => (judged, None),
        Err(error) => {
            let gone = is_unreachable(&error).then(|| error.message.clone());
            (refused(name, &error), gone)
        }
    };
    let check = Check {
        name,
        verdict: judged.verdict,
        detail: judged.detail,
        remedy: judged.remedy,
        evidence: judged.evidence,
        needed: name.is_needed(),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    (check, gone)
}

/// A check that was not made.
pub(super) fn skipped(name: CheckName, why: &str) -> Check {
    Check {
        name,
        verdict: Verdict::Skipped,
        detail: why.to_owned(),
        remedy: None,
        evidence: json!({}),
        needed: name.is_needed(),
        duration_ms: 0,
    }
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
    let remedy = match name {
        CheckName::Image => "Do not send images to this model, or choose one that reads them.",
        CheckName::ForcedTool => "Tool rules that force a call are then only asked for in words.",
        CheckName::ToolCall | CheckName::NestedArguments | CheckName::ToolErrorRecovery => {
            "Choose a model that calls tools. For llama-server, use a model whose template knows tools and --jinja."
        }
        CheckName::PlainReply
        | CheckName::StreamedReply
        | CheckName::ParallelCalls
        | CheckName::MemoryRecall
        | CheckName::ContextLength
        | CheckName::Speed => "Look at the provider's answer; try again, or choose another model.",
    };
    Judged {
        verdict,
        detail: error.message.clone(),
        remedy: Some(remedy.to_owned()),
        evidence: json!({
            "error_type": error.kind.error_type(),
            "status": error.status,
            "detail": error.detail.as_deref().map(shown),
        }),
    }
}

async fn plain(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question { stream: false, ..Question::says("Reply with exactly one word: heron") };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.text.to_lowercase().contains("heron") {
        Judged::pass(&reply, "It answers in plain text.")
    } else if reply.text.trim().is_empty() {
        Judged::bad(
            Verdict::Fail,
            &reply,
            "It answered without any text.",
            "If it reasons, give it more room to answer; otherwise choose another model.",
        )
    } else {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "It answers, but does not follow a simple instruction.",
            "Expect it to miss instructions; a larger model follows them better.",
        )
    })
}

async fn streamed(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let reply =
        ask(app, &model.handle, Question::says("Count from 1 to 20 in digits, separated by spaces.")).await?;
    Ok(if reply.text.trim().is_empty() {
        Judged::bad(
            Verdict::Fail,
            &reply,
            "The stream carried no text.",
            "Turn streaming off for agents with this model, or choose another one.",
        )
    } else if reply.finish == Some(FinishReason::Length) {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "The answer was cut at its limit although it is short.",
            "Raise the model's output limit; a runtime may have a small one of its own.",
        )
    } else if reply.pieces < 2 {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "The answer came in one piece.",
            "Answers appear only when they are complete. A proxy in between may hold them back.",
        )
    } else {
        Judged::pass(&reply, format!("It streams; this answer came in {} pieces.", reply.pieces))
    })
}

fn weather() -> ToolSpec {
    ToolSpec {
        name: "get_weather".to_owned(),
        description: "The weather in a city right now.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"city": {"type": "string", "description": "The city's name."}},
            "required": ["city"],
        }),
    }
}

/// The value of `city` of each call of the weather tool.
fn cities(reply: &Reply) -> Vec<String> {
    reply
        .calls
        .iter()
        .filter(|call| call.name == "get_weather")
        .filter_map(|call| Some(call.parsed()?.get("city")?.as_str()?.to_lowercase()))
        .collect()
}

/// What is wrong with an answer that should have held a call.
fn no_call(reply: &Reply, tool: &str) -> (String, String) {
    let text = reply.text.to_lowercase();
    if reply.calls.iter().any(|call| call.name == tool && call.parsed().is_none()) {
        (
            "It called the tool with arguments that are not JSON.".to_owned(),
            "Choose a larger model or a less compressed file (Q4_K_M or better).".to_owned(),
        )
    } else if text.contains(tool) && text.contains('{') {
        (
            "It wrote the call into its text instead of making it.".to_owned(),
            "The runtime does not read this model's calls. For llama-server use --jinja; for vLLM set \
             --tool-call-parser; for Ollama choose a model listed with tools."
                .to_owned(),
        )
    } else {
        (
            "It did not call the tool it was asked to call.".to_owned(),
            "Choose a model that calls tools; agents keep their memory by it.".to_owned(),
        )
    }
}

async fn tool_call(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question::with_tools("What is the weather in Berlin? Use the tool.", vec![weather()]);
    let reply = ask(app, &model.handle, question).await?;
    Ok(if cities(&reply).iter().any(|city| city.contains("berlin")) {
        Judged::pass(&reply, "It calls a tool with the right argument.")
    } else {
        let (detail, remedy) = no_call(&reply, "get_weather");
        Judged::bad(Verdict::Fail, &reply, detail, remedy)
    })
}

async fn parallel(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let text =
        "What is the weather in Berlin and in Lima? Call the tool for both cities at once, in one answer.";
    let question = Question { parallel: true, ..Question::with_tools(text, vec![weather()]) };
    let reply = ask(app, &model.handle, question).await?;
    let cities = cities(&reply);
    let both = ["berlin", "lima"].iter().all(|wanted| cities.iter().any(|city| city.contains(wanted)));
    Ok(if both {
        Judged::pass(&reply, "It makes several calls at once.")
    } else {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "It does not make several calls at once.",
            "Agents work with one call at a time; it only takes longer.",
        )
    })
}

async fn nested(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let order = ToolSpec {
        name: "place_order".to_owned(),
        description: "Places an order.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "customer": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "city": {"type": "string"}},
                    "required": ["name", "city"],
                },
                "items": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"article": {"type": "string"}, "count": {"type": "integer"}},
                        "required": ["article", "count"],
                    },
                },
            },
            "required": ["customer", "items"],
        }),
    };
    let text = "Place an order with the tool: for the customer Mira in Lima, 2 pieces of the article \"cup\" and 1 \
                piece of the article \"pot\".";
    let reply = ask(app, &model.handle, Question::with_tools(text, vec![order])).await?;
    let arguments = reply.calls.iter().find(|call| call.name == "place_order").and_then(|call| call.parsed());
    let Some(arguments) = arguments else {
        let (detail, remedy) = no_call(&reply, "place_order");
        return Ok(Judged::bad(Verdict::Fail, &reply, detail, remedy));
    };
    let word =
        |path: &str| arguments.pointer(path).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let items = arguments.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    let counts = [arguments.pointer("/items/0/count"), arguments.pointer("/items/1/count")];
    let right = word("/customer/name").contains("mira")
        && word("/customer/city").contains("lima")
        && items == 2
        && counts == [Some(&json!(2)), Some(&json!(1))];
    Ok(if right {
        Judged::pass(&reply, "It fills in nested arguments.")
    } else {
        Judged::bad(
            Verdict::Fail,
            &reply,
            "It calls the tool, but the nested arguments are wrong.",
            "Prefer tools with flat arguments for this model, or choose a larger one.",
        )
    })
}

async fn recovery(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question {
        messages: vec![
            user("What is the weather in Berlin? Use the tool."),
            ChatMessage::Assistant {
                content: Vec::new(),
                tool_calls: vec![ToolCall {
                    id: "call_1".to_owned(),
                    name: "get_weather".to_owned(),
                    arguments: r#"{"city":"Berln"}"#.to_owned(),
                }],
            },
            ChatMessage::Tool {
                returns: vec![ChatToolReturn {
                    tool_call_id: "call_1".to_owned(),
                    content: vec![ContentPart::text(
                        r#"{"status": "error", "message": "Error: there is no city named 'Berln'. Did you mean 'Berlin'? Call the tool again."}"#,
                    )],
                    is_error: true,
                }],
            },
        ],
        ..Question::with_tools("", vec![weather()])
    };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if cities(&reply).iter().any(|city| city.contains("berlin")) {
        Judged::pass(&reply, "After a failed call it tries again with the mistake mended.")
    } else if reply.text.trim().is_empty() && reply.calls.is_empty() {
        Judged::bad(
            Verdict::Fail,
            &reply,
            "After a failed call it says nothing.",
            "Choose another model: agents with it stop at the first mistake.",
        )
    } else {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "After a failed call it does not try again.",
            "Expect to have to tell it; a larger model recovers by itself.",
        )
    })
}

async fn forced(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question {
        choice: ToolChoice::Named("get_weather".to_owned()),
        ..Question::with_tools("Good morning, Berlin!", vec![weather()])
    };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.calls.iter().any(|call| call.name == "get_weather") {
        Judged::pass(&reply, "A tool it is made to call is called.")
    } else {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "It cannot be made to call a certain tool.",
            "Tool rules such as “run first” may not hold with this model.",
        )
    })
}

async fn image(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let content = vec![
        ContentPart::text("Which colour is this square? Answer with one word."),
        ContentPart::Image {
            source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: RED_SQUARE.to_owned() },
        },
    ];
    let question = Question { messages: vec![ChatMessage::User { content }], ..Question::says("") };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.text.to_lowercase().contains("red") {
        Judged::pass(&reply, "It reads images.")
    } else {
        Judged::bad(
            Verdict::Warn,
            &reply,
            "It does not see what is in an image.",
            "Do not send images to this model, or choose one that reads them.",
        )
    })
}

async fn recall(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
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
        Judged::pass(&reply, "It uses what stands in a memory block.")
    } else {
        Judged::bad(
            Verdict::Fail,
            &reply,
            "It does not use what stands in its memory.",
            "The system prompt may not reach the model, or the model is too small. Look at the step's request; \
             choose another model.",
        )
    })
}

async fn speed(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question {
        patience: Duration::from_secs(240),
        ..Question::says("Write about two hundred words about herons.")
    };
    let reply = ask(app, &model.handle, question).await?;
    let writing = reply.whole.saturating_sub(reply.first.unwrap_or_default()).max(Duration::from_millis(1));
    let rate = reply.tokens() as f64 / writing.as_secs_f64();
    let mut evidence = reply.evidence();
    evidence["tokens_per_second"] = json!((rate * 10.0).round() / 10.0);
    let estimated = if reply.usage.completion_tokens == 0 { " (estimated)" } else { "" };
    let first = reply.first.unwrap_or(reply.whole).as_secs_f64();
    let detail = format!("{rate:.1} tokens a second{estimated}; the first after {first:.1} s.");
    Ok(if reply.text.trim().is_empty() {
        Judged::bad(Verdict::Warn, &reply, "It wrote nothing, so its speed is not known.", "Try again.")
    } else if rate < SLOW {
        Judged {
            verdict: Verdict::Warn,
            detail,
            remedy: Some("A smaller model, a smaller context or a graphics card makes it faster.".to_owned()),
            evidence,
        }
    } else {
        Judged { verdict: Verdict::Pass, detail, remedy: None, evidence }
    })
}

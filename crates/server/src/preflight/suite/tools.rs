//! What an agent does with tools: calling one, several, with nested arguments, after a mistake, and when made to.

use loci_api::{
    chat::{ChatError, ChatMessage, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, ToolCall},
};
use loci_llm::ResolvedModel;
use serde_json::{Value, json};

use crate::{
    App,
    preflight::{
        Verdict,
        ask::{Question, Reply, ask, user},
        finding::{Advice, Finding},
        judged::Judged,
    },
};

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
fn no_call(reply: &Reply, tool: &str) -> Judged {
    let text = reply.text.to_lowercase();
    let (finding, advice) = if reply.calls.iter().any(|call| call.name == tool && call.parsed().is_none()) {
        (Finding::CallsWithoutJson, Advice::LargerFile)
    } else if text.contains(tool) && text.contains('{') {
        (Finding::WritesCallAsText, Advice::ReadCalls)
    } else {
        (Finding::DoesNotCall, Advice::ChooseToolCaller)
    };
    Judged::bad(Verdict::Fail, reply, finding, advice)
}

pub(in crate::preflight) async fn tool_call(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question::with_tools("What is the weather in Berlin? Use the tool.", vec![weather()]);
    let reply = ask(app, &model.handle, question).await?;
    Ok(if cities(&reply).iter().any(|city| city.contains("berlin")) {
        Judged::pass(&reply, Finding::CallsTool)
    } else {
        no_call(&reply, "get_weather")
    })
}

pub(in crate::preflight) async fn parallel(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let text =
        "What is the weather in Berlin and in Lima? Call the tool for both cities at once, in one answer.";
    let question = Question { parallel: true, ..Question::with_tools(text, vec![weather()]) };
    let reply = ask(app, &model.handle, question).await?;
    let cities = cities(&reply);
    let both = ["berlin", "lima"].iter().all(|wanted| cities.iter().any(|city| city.contains(wanted)));
    Ok(if both {
        Judged::pass(&reply, Finding::CallsSeveral)
    } else {
        Judged::bad(Verdict::Warn, &reply, Finding::CallsOneAtATime, Advice::OneAtATimeIsFine)
    })
}

pub(in crate::preflight) async fn nested(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
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
        return Ok(no_call(&reply, "place_order"));
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
        Judged::pass(&reply, Finding::FillsNested)
    } else {
        Judged::bad(Verdict::Fail, &reply, Finding::FillsNestedWrongly, Advice::FlatArguments)
    })
}

pub(in crate::preflight) async fn recovery(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
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
        Judged::pass(&reply, Finding::TriesAgain)
    } else if reply.text.trim().is_empty() && reply.calls.is_empty() {
        Judged::bad(Verdict::Fail, &reply, Finding::SilentAfterFailure, Advice::StopsAtMistakes)
    } else {
        Judged::bad(Verdict::Warn, &reply, Finding::DoesNotTryAgain, Advice::TellItToTryAgain)
    })
}

pub(in crate::preflight) async fn forced(app: &App, model: &ResolvedModel) -> Result<Judged, ChatError> {
    let question = Question {
        choice: ToolChoice::Named("get_weather".to_owned()),
        ..Question::with_tools("Good morning, Berlin!", vec![weather()])
    };
    let reply = ask(app, &model.handle, question).await?;
    Ok(if reply.calls.iter().any(|call| call.name == "get_weather") {
        Judged::pass(&reply, Finding::CanBeMade)
    } else {
        Judged::bad(Verdict::Warn, &reply, Finding::CannotBeMade, Advice::RulesMayNotHold)
    })
}

//! Which provider's format a request is in, and an answer in it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{anthropic, google, ollama, openai, reply::Reply, responses};

/// A provider's wire format, known by the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    Google,
    Ollama,
}

impl Format {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/v1/responses" => Self::OpenAiResponses,
            "/v1/messages" => Self::Anthropic,
            _ if path.starts_with("/v1beta/") => Self::Google,
            _ if path.starts_with("/api/") => Self::Ollama,
            _ => Self::OpenAiChat,
        }
    }

    pub(crate) fn streams(self, path: &str, body: &Value) -> bool {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic => body["stream"] == true,
            Self::Google => path.ends_with(":streamGenerateContent"),
            Self::Ollama => body["stream"] != false,
        }
    }

    pub(crate) fn answer(
        self,
        reply: &Reply,
        path: &str,
        body: &Value,
        number: usize,
        stream: bool,
    ) -> Vec<String> {
        let model = &body["model"];
        match (self, stream) {
            (Self::OpenAiChat, true) => {
                openai::frames(reply, model, number, body["stream_options"]["include_usage"] == true)
            }
            (Self::OpenAiChat, false) => vec![openai::response(reply, model, number)],
            (Self::OpenAiResponses, true) => responses::frames(reply, model, number),
            (Self::OpenAiResponses, false) => vec![responses::response(reply, model, number)],
            (Self::Anthropic, true) => anthropic::frames(reply, model, number),
            (Self::Anthropic, false) => vec![anthropic::response(reply, model, number)],
            (Self::Google, _) => {
                let name = path.trim_start_matches("/v1beta/models/");
                let model = json!(name.split(':').next());
                if stream {
                    google::frames(reply, &model, number)
                } else {
                    vec![google::response(reply, &model, number)]
                }
            }
            (Self::Ollama, true) => ollama::frames(reply, model),
            (Self::Ollama, false) => vec![ollama::response(reply, model)],
        }
    }

    /// An error as this provider puts it.
    pub(crate) fn failure(self, error: Value, status: StatusCode) -> Value {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => json!({"error": error}),
            Self::Anthropic => json!({"type": "error", "error": error}),
            Self::Google => {
                let mut error = error;
                if error.is_object() {
                    error["code"] = json!(status.as_u16());
                }
                json!({"error": error})
            }
            Self::Ollama => json!({"error": error["message"].as_str().unwrap_or("scripted failure")}),
        }
    }
}

//! What a check can come to and what to do about it: a name for programs that have words of their own, and a sentence
//! for everybody else. A name in braces stands for the value of that name in the check's evidence.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Answers,
    AnswersWithoutText,
    MissesInstruction,
    Streams,
    StreamsNothing,
    CutShort,
    OnePiece,
    CallsTool,
    CallsWithoutJson,
    WritesCallAsText,
    DoesNotCall,
    CallsSeveral,
    CallsOneAtATime,
    FillsNested,
    FillsNestedWrongly,
    TriesAgain,
    SilentAfterFailure,
    DoesNotTryAgain,
    CanBeMade,
    CannotBeMade,
    SeesImages,
    DoesNotSeeImages,
    Recalls,
    DoesNotRecall,
    Speed,
    SpeedEstimated,
    SpeedUnknown,
    ReadsAll,
    LongTextRefused,
    BeginningCut,
    LosesSome,
    Refused,
    NotAsked,
}

impl Finding {
    fn words(self) -> &'static str {
        match self {
            Self::Answers => "It answers in plain text.",
            Self::AnswersWithoutText => "It answered without any text.",
            Self::MissesInstruction => "It answers, but does not follow a simple instruction.",
            Self::Streams => "It streams; this answer came in {pieces} pieces.",
            Self::StreamsNothing => "The stream carried no text.",
            Self::CutShort => "The answer was cut at its limit although it is short.",
            Self::OnePiece => "The answer came in one piece.",
            Self::CallsTool => "It calls a tool with the right argument.",
            Self::CallsWithoutJson => "It called the tool with arguments that are not JSON.",
            Self::WritesCallAsText => "It wrote the call into its text instead of making it.",
            Self::DoesNotCall => "It did not call the tool it was asked to call.",
            Self::CallsSeveral => "It makes several calls at once.",
            Self::CallsOneAtATime => "It does not make several calls at once.",
            Self::FillsNested => "It fills in nested arguments.",
            Self::FillsNestedWrongly => "It calls the tool, but the nested arguments are wrong.",
            Self::TriesAgain => "After a failed call it tries again with the mistake mended.",
            Self::SilentAfterFailure => "After a failed call it says nothing.",
            Self::DoesNotTryAgain => "After a failed call it does not try again.",
            Self::CanBeMade => "A tool it is made to call is called.",
            Self::CannotBeMade => "It cannot be made to call a certain tool.",
            Self::SeesImages => "It reads images.",
            Self::DoesNotSeeImages => "It does not see what is in an image.",
            Self::Recalls => "It uses what stands in a memory block.",
            Self::DoesNotRecall => "It does not use what stands in its memory.",
            Self::Speed => "{tokens_per_second} tokens a second; the first after {first_seconds} s.",
            Self::SpeedEstimated => {
                "About {tokens_per_second} tokens a second (estimated); the first after {first_seconds} s."
            }
            Self::SpeedUnknown => "It wrote nothing, so its speed is not known.",
            Self::ReadsAll => {
                "It found everything in a text of {effective_context_tokens} tokens; longer ones were not tried."
            }
            Self::LongTextRefused => {
                "A text of {tried_tokens} tokens was refused: {said} {effective_context_tokens} tokens work; \
                 {context_window} are announced."
            }
            Self::BeginningCut => {
                "In a text of {tried_tokens} tokens it no longer knows the beginning: the context is cut without a \
                 word. {effective_context_tokens} tokens work; {context_window} are announced."
            }
            Self::LosesSome => {
                "In a text of {tried_tokens} tokens it no longer finds everything. {effective_context_tokens} tokens \
                 work; {context_window} are announced."
            }
            Self::Refused => "{said}",
            Self::NotAsked => "The model could not be asked: {said}",
        }
    }

    /// The sentence about a check with this evidence.
    #[must_use]
    pub fn sentence(self, evidence: &Value) -> String {
        filled(self.words(), evidence)
    }
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    MoreRoom,
    LargerForInstructions,
    NoStreaming,
    RaiseOutputLimit,
    HeldBack,
    LargerFile,
    ReadCalls,
    ChooseToolCaller,
    OneAtATimeIsFine,
    FlatArguments,
    StopsAtMistakes,
    TellItToTryAgain,
    RulesMayNotHold,
    NoImages,
    PromptMayBeLost,
    TryAgain,
    Faster,
    WindowOllama,
    WindowLlamaServer,
    WindowLmStudio,
    WindowMaxModelLen,
    WindowAgent,
    ChooseLongerReader,
    ToolTemplate,
    ForcedInWords,
    LookAtAnswer,
}

impl Advice {
    fn words(self) -> &'static str {
        match self {
            Self::MoreRoom => "If it reasons, give it more room to answer; otherwise choose another model.",
            Self::LargerForInstructions => {
                "Expect it to miss instructions; a larger model follows them better."
            }
            Self::NoStreaming => "Turn streaming off for agents with this model, or choose another one.",
            Self::RaiseOutputLimit => {
                "Raise the model's output limit; a runtime may have a small one of its own."
            }
            Self::HeldBack => {
                "Answers appear only when they are complete. A proxy in between may hold them back."
            }
            Self::LargerFile => "Choose a larger model or a less compressed file (Q4_K_M or better).",
            Self::ReadCalls => {
                "The runtime does not read this model's calls. For llama-server use --jinja; for vLLM set \
                 --tool-call-parser; for Ollama choose a model listed with tools."
            }
            Self::ChooseToolCaller => "Choose a model that calls tools; agents keep their memory by it.",
            Self::OneAtATimeIsFine => "Agents work with one call at a time; it only takes longer.",
            Self::FlatArguments => "Prefer tools with flat arguments for this model, or choose a larger one.",
            Self::StopsAtMistakes => "Choose another model: agents with it stop at the first mistake.",
            Self::TellItToTryAgain => "Expect to have to tell it; a larger model recovers by itself.",
            Self::RulesMayNotHold => "Tool rules such as “run first” may not hold with this model.",
            Self::NoImages => "Do not send images to this model, or choose one that reads them.",
            Self::PromptMayBeLost => {
                "The system prompt may not reach the model, or the model is too small. Look at the step's request; \
                 choose another model."
            }
            Self::TryAgain => "Try again.",
            Self::Faster => "A smaller model, a smaller context or a graphics card makes it faster.",
            Self::WindowOllama => {
                "Raise the context length in Ollama (OLLAMA_CONTEXT_LENGTH, or num_ctx of the model). Or set the \
                 agent's context window to {effective_context_tokens} tokens or less."
            }
            Self::WindowLlamaServer => {
                "Start llama-server with a larger --ctx-size. Or set the agent's context window to \
                 {effective_context_tokens} tokens or less."
            }
            Self::WindowLmStudio => {
                "Load the model in LM Studio with a larger context length. Or set the agent's context window to \
                 {effective_context_tokens} tokens or less."
            }
            Self::WindowMaxModelLen => {
                "Start the server with a larger --max-model-len. Or set the agent's context window to \
                 {effective_context_tokens} tokens or less."
            }
            Self::WindowAgent => {
                "Set the agent's context window to {effective_context_tokens} tokens or less."
            }
            Self::ChooseLongerReader => "Choose another model: this one loses even short texts.",
            Self::ToolTemplate => {
                "Choose a model that calls tools. For llama-server, use a model whose template knows tools and --jinja."
            }
            Self::ForcedInWords => "Tool rules that force a call are then only asked for in words.",
            Self::LookAtAnswer => "Look at the provider's answer; try again, or choose another model.",
        }
    }

    /// The sentence about a check with this evidence.
    #[must_use]
    pub fn sentence(self, evidence: &Value) -> String {
        filled(self.words(), evidence)
    }
}

/// Puts values in the place of their names.
fn filled(words: &str, evidence: &Value) -> String {
    let mut parts = words.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        match &evidence[name] {
            Value::String(value) => text.push_str(value),
            Value::Null => text.push('?'),
            other => text.push_str(&other.to_string()),
        }
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_give_way_to_values() {
        let evidence = json!({"effective_context_tokens": 4096, "said": "No {braces} here."});
        assert_eq!(
            Advice::WindowAgent.sentence(&evidence),
            "Set the agent's context window to 4096 tokens or less."
        );
        assert_eq!(Finding::Refused.sentence(&evidence), "No {braces} here.");
        assert_eq!(Finding::Streams.sentence(&evidence), "It streams; this answer came in ? pieces.");
    }
}

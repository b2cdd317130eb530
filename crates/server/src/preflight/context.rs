//! How much a model really reads: codes hidden near the beginning, the middle and the end of ever longer texts.

use std::{fmt::Write as _, time::Duration};

use loci_api::chat::{ChatError, ChatErrorKind};
use loci_llm::ResolvedModel;
use serde_json::{Value, json};

use super::{
    Verdict,
    ask::{Question, Reply, ask, shown},
    finding::{Advice, Finding},
    judged::Judged,
};
use crate::App;

/// Where the codes are, in percent of the text.
const DEPTHS: [usize; 3] = [5, 50, 90];
/// Tokens of the first text; each further one is twice as long.
const FIRST: u32 = 2_048;
/// Of a window, so much is filled: the rest is for the question and the answer. Percent.
const FILLED: u32 = 80;
/// Characters to a token of the filling; on the careful side, so that the text is not longer than meant.
const CHARACTERS: usize = 3;

/// The codes of one text.
fn codes(size: u32) -> [String; 3] {
    DEPTHS.map(|depth| {
        // Different for each length, so that nothing can be remembered from the one before.
        let mix = u64::from(size).wrapping_mul(2_654_435_761).wrapping_add(depth as u64 * 97);
        format!("{}-{:04}", ["HERON", "OTTER", "ROBIN"][depth % 3], mix % 10_000)
    })
}

/// A dull text of about so many tokens, with the codes in it.
fn haystack(tokens: u32, codes: &[String; 3]) -> String {
    const THINGS: [&str; 8] =
        ["the boat", "a lamp", "the garden", "some bread", "the clock", "a letter", "the bridge", "a coat"];
    const DOES: [&str; 6] =
        ["is old", "was moved", "stays here", "has a crack", "belongs to nobody", "is for sale"];
    let length = usize::try_from(tokens).unwrap_or(usize::MAX).saturating_mul(CHARACTERS);
    let mut text = String::with_capacity(length + 200);
    let mut line = 0_usize;
    let mut next = 0;
    while text.len() < length {
        if next < DEPTHS.len() && text.len() * 100 >= length * DEPTHS[next] {
            let _infallible = writeln!(text, "Remember this: code number {} is {}.", next + 1, codes[next]);
            next += 1;
        }
        let thing = THINGS[(line * 7 + line / 5) % THINGS.len()];
        let does = DOES[(line * 5 + line / 3) % DOES.len()];
        let _infallible = writeln!(text, "Line {line}: {thing} {does}.");
        line += 1;
    }
    while next < DEPTHS.len() {
        let _infallible = writeln!(text, "Remember this: code number {} is {}.", next + 1, codes[next]);
        next += 1;
    }
    text
}

/// What one length showed.
struct Tried {
    size: u32,
    found: [bool; 3],
    /// As the provider counted.
    prompt_tokens: u64,
    said: Result<Reply, ChatError>,
}

impl Tried {
    fn is_whole(&self) -> bool {
        self.found == [true; 3]
    }

    fn evidence(&self) -> Value {
        json!({
            "tokens": self.size,
            "prompt_tokens": self.prompt_tokens,
            "found_at_percent": DEPTHS.iter().zip(self.found).filter(|(_, found)| *found).map(|(depth, _)| depth).collect::<Vec<_>>(),
            "missed_at_percent": DEPTHS.iter().zip(self.found).filter(|(_, found)| !*found).map(|(depth, _)| depth).collect::<Vec<_>>(),
            "said": match &self.said { Ok(reply) => shown(&reply.text), Err(error) => error.message.clone() },
        })
    }
}

async fn attempt(app: &App, model: &ResolvedModel, size: u32) -> Tried {
    let codes = codes(size);
    let text = format!(
        "{}\nThe text above holds three codes. Answer with the three codes, separated by spaces, and nothing else.",
        haystack(size, &codes)
    );
    let question = Question {
        patience: Duration::from_secs(600),
        context_window: Some(model.context_window),
        ..Question::says(&text)
    };
    let said = ask(app, &model.handle, question).await;
    let text = said.as_ref().map(|reply| reply.text.to_uppercase()).unwrap_or_default();
    Tried {
        size,
        found: codes.map(|code| text.contains(&code)),
        prompt_tokens: said.as_ref().map_or(0, |reply| reply.usage.prompt_tokens),
        said,
    }
}

/// Lengths to try, rising, the last one as far as the model and the plan allow.
pub(super) fn sizes(window: u32, most: u32) -> Vec<u32> {
    let last = (window / 100 * FILLED).min(most).max(1_024);
    let mut sizes = Vec::new();
    let mut size = FIRST;
    while size < last {
        sizes.push(size);
        size = size.saturating_mul(2);
    }
    sizes.push(last);
    sizes
}

/// Finds how much of its window a model reads.
pub(super) async fn find(app: &App, model: &ResolvedModel, most: u32) -> Result<Judged, ChatError> {
    let mut tries: Vec<Tried> = Vec::new();
    for size in sizes(model.context_window, most) {
        let tried = attempt(app, model, size).await;
        if let Err(error) = &tried.said
            && tries.is_empty()
            && !matches!(error.kind, ChatErrorKind::ContextWindowExceeded | ChatErrorKind::LlmTimeout)
        {
            return Err(error.clone());
        }
        let is_whole = tried.is_whole();
        tries.push(tried);
        if !is_whole {
            break;
        }
    }
    Ok(judge(model, &tries))
}

fn judge(model: &ResolvedModel, tries: &[Tried]) -> Judged {
    let good = tries.iter().rev().find(|tried| tried.is_whole());
    // What the provider counted is nearer to the truth than what was meant.
    let effective = good.map_or(0, |tried| tried.prompt_tokens.max(u64::from(tried.size)));
    let last = tries.last();
    let said = last.and_then(|last| last.said.as_ref().err()).map(|error| shown(&error.message));
    let evidence = json!({
        "effective_context_tokens": effective,
        "tried_tokens": last.map(|last| last.size),
        "said": said,
        "context_window": model.context_window,
        "window_source": model.window_source,
        "tries": tries.iter().map(Tried::evidence).collect::<Vec<_>>(),
    });
    let Some(last) = last.filter(|last| !last.is_whole()) else {
        return Judged { verdict: Verdict::Pass, finding: Finding::ReadsAll, advice: None, evidence };
    };
    let finding = match (&last.said, !last.found[0] && last.found[2]) {
        (Err(_), _) => Finding::LongTextRefused,
        (Ok(_), true) => Finding::BeginningCut,
        (Ok(_), false) => Finding::LosesSome,
    };
    let advice = match model.kind.as_str() {
        _ if effective == 0 => Advice::ChooseLongerReader,
        "ollama" => Advice::WindowOllama,
        "llamacpp" => Advice::WindowLlamaServer,
        "lmstudio_openai" => Advice::WindowLmStudio,
        "vllm" | "sglang" => Advice::WindowMaxModelLen,
        _ => Advice::WindowAgent,
    };
    // Enough for a short conversation is still something.
    let verdict = if effective >= 8_192 { Verdict::Warn } else { Verdict::Fail };
    Judged { verdict, finding, advice: Some(advice), evidence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_rise_to_what_the_window_and_the_plan_allow() {
        assert_eq!(sizes(128_000, 16_384), [2_048, 4_096, 8_192, 16_384]);
        assert_eq!(sizes(8_192, 16_384), [2_048, 4_096, 6_480]);
        assert_eq!(sizes(2_048, 16_384), [1_600]);
        assert_eq!(sizes(100, 16_384), [1_024]);
    }

    #[test]
    fn codes_are_where_they_belong_and_differ() {
        let codes = codes(4_096);
        let text = haystack(4_096, &codes);
        assert!((text.len() as f64 / 4_096.0 - 3.0).abs() < 0.2, "{}", text.len());
        for (code, depth) in codes.iter().zip(DEPTHS) {
            let at = text.find(code.as_str()).expect("it is there") * 100 / text.len();
            assert!(at.abs_diff(depth) <= 3, "{code} at {at} %");
        }
        assert!(codes[0] != codes[1] && codes != super::codes(8_192));
    }
}

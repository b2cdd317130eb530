//! Embeddings in each provider's form.

use serde_json::{Value, json};

use super::{Embedded, TextRole};
use crate::protocols::Protocol;

/// The request for one batch. Providers refuse empty texts; a blank has the meaning of nothing.
pub(super) fn body(protocol: Protocol, model: &str, texts: &[String], role: TextRole) -> Value {
    let texts = texts.iter().map(|text| if text.trim().is_empty() { " " } else { text.as_str() });
    match protocol {
        Protocol::Google => {
            let name = if model.contains('/') { model.to_owned() } else { format!("models/{model}") };
            let requests: Vec<_> = texts
                .map(|text| {
                    let mut request = json!({"model": name, "content": {"parts": [{"text": text}]}});
                    // Later models take what the text is for inside the text, if at all.
                    if ["gemini-embedding-001", "text-embedding-004"].contains(&model) {
                        request["taskType"] = json!(match role {
                            TextRole::Passage => "RETRIEVAL_DOCUMENT",
                            TextRole::Query => "RETRIEVAL_QUERY",
                        });
                    }
                    request
                })
                .collect();
            json!({"requests": requests})
        }
        Protocol::Ollama => {
            json!({"model": model, "input": texts.collect::<Vec<_>>(), "truncate": true, "keep_alive": "30m"})
        }
        Protocol::OpenAiChat | Protocol::OpenAiResponses | Protocol::Anthropic => {
            json!({"model": model, "input": texts.collect::<Vec<_>>()})
        }
    }
}

/// The vectors in an answer, or what is wrong with it.
pub(super) fn read(protocol: Protocol, answer: &Value, expected: usize) -> Result<Embedded, String> {
    let vectors: Result<Vec<Vec<f32>>, String> = match protocol {
        Protocol::Google => list(&answer["embeddings"])?.iter().map(|one| numbers(&one["values"])).collect(),
        Protocol::Ollama => list(&answer["embeddings"])?.iter().map(numbers).collect(),
        Protocol::OpenAiChat | Protocol::OpenAiResponses | Protocol::Anthropic => {
            let mut data: Vec<&Value> = list(&answer["data"])?.iter().collect();
            // They come in order; where a server counts them, its count decides.
            data.sort_by_key(|one| one["index"].as_u64().unwrap_or(0));
            data.iter().map(|one| numbers(&one["embedding"])).collect()
        }
    };
    let vectors = vectors?;
    if vectors.len() != expected {
        return Err(format!("{} vectors came for {expected} texts", vectors.len()));
    }
    let length = vectors.first().map_or(0, Vec::len);
    if let Some(other) = vectors.iter().find(|vector| vector.len() != length) {
        return Err(format!("vectors of {length} and of {} numbers", other.len()));
    }
    let dimensions = u32::try_from(length).map_err(|_| format!("a vector of {length} numbers"))?;
    let counted = ["/usage/prompt_tokens", "/usage/total_tokens", "/prompt_eval_count"];
    let prompt_tokens = counted.iter().find_map(|path| answer.pointer(path).and_then(Value::as_u64));
    Ok(Embedded { vectors, dimensions, prompt_tokens })
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| "there is no list of vectors in the answer".to_owned())
}

fn numbers(value: &Value) -> Result<Vec<f32>, String> {
    let items = value.as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| "a vector is missing or empty".to_owned())?;
    let numbers = items.iter().map(|item| {
        #[expect(clippy::cast_possible_truncation, reason = "vectors are kept in single precision")]
        let number = item.as_f64().map(|number| number as f32);
        number.filter(|number| number.is_finite()).ok_or_else(|| format!("a vector holds {item}"))
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn vectors_come_in_the_order_of_the_texts() {
        let answer = json!({"data": [
            {"index": 1, "embedding": [3.0, 4.0]}, {"index": 0, "embedding": [1, 2]},
        ], "usage": {"prompt_tokens": 5}});
        let read = read(Protocol::OpenAiChat, &answer, 2).unwrap();
        assert_eq!(read.vectors, [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!((read.dimensions, read.prompt_tokens), (2, Some(5)));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for (answer, part) in [
            (json!({}), "no list"),
            (json!({"data": [{"embedding": [1.0]}]}), "1 vectors came for 2"),
            (json!({"data": [{"embedding": [1.0]}, {"embedding": [1.0, 2.0]}]}), "of 1 and of 2"),
            (json!({"data": [{"embedding": []}, {"embedding": [1.0]}]}), "empty"),
            (json!({"data": [{"embedding": ["x"]}, {"embedding": [1.0]}]}), "holds \"x\""),
            (json!({"data": [{"embedding": [1e300]}, {"embedding": [1.0]}]}), "holds 1e"),
            (json!({"data": [{}, {}]}), "missing"),
        ] {
            let error = read(Protocol::OpenAiChat, &answer, 2).unwrap_err();
            assert!(error.contains(part), "{answer}: {error}");
        }
    }

    #[test]
    fn each_provider_is_asked_in_its_form() {
        let texts = ["a".to_owned(), " ".to_owned()];
        let google = body(Protocol::Google, "gemini-embedding-001", &texts, TextRole::Query);
        assert_eq!(google["requests"][0]["model"], "models/gemini-embedding-001");
        assert_eq!(google["requests"][0]["taskType"], "RETRIEVAL_QUERY");
        assert_eq!(body(Protocol::Ollama, "m", &texts, TextRole::Passage)["input"], json!(["a", " "]));
        assert_eq!(
            body(Protocol::OpenAiChat, "m", &texts, TextRole::Passage),
            json!({"model": "m", "input": ["a", " "]})
        );
    }
}

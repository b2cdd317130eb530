//! Lists of models as servers write them, in one form.

use serde_json::Value;

use super::{Capabilities, Listed};
use crate::catalogue::{self, PRICE_LISTED, Price};

/// Kinds of models, as some lists call them, that hold no conversations.
const OTHER_TYPES: [&str; 8] =
    ["image", "audio", "video", "moderation", "rerank", "transcribe", "tts", "code-completion"];

/// `{"data": […]}`, `{"models": […]}` or a bare list, in OpenAI's form and what other servers add to it.
pub(super) fn openai(body: &Value, provider_type: &str) -> Option<Vec<Listed>> {
    let items = body.get("data").or_else(|| body.get("models")).unwrap_or(body).as_array()?;
    let mut list: Vec<Listed> = Vec::new();
    for item in items {
        let id = item.get("id").or_else(|| item.get("name")).or(Some(item)).and_then(Value::as_str);
        let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= 200) else { continue };
        let kind = item["type"].as_str().unwrap_or_default();
        let is_embedding = kind.contains("embed") || catalogue::is_embedding(id);
        let is_gone = item["active"] == false
            || item["archived"] == true
            || (item["capabilities"]["completion_chat"] == false && !is_embedding);
        if catalogue::is_not_for_chat(id)
            || OTHER_TYPES.contains(&kind)
            || is_gone
            || list.iter().any(|listed| listed.id == id)
        {
            continue;
        }
        list.push(Listed {
            id: id.to_owned(),
            display_name: text(item, &["display_name", "name"]),
            context_window: number(
                item,
                &[
                    "/max_model_len",
                    "/meta/n_ctx",
                    "/context_length",
                    "/context_window",
                    "/max_context_length",
                    "/max_input_tokens",
                    "/meta/n_ctx_train",
                ],
            ),
            max_context_window: number(item, &["/meta/n_ctx_train"]),
            is_in_force: ["/max_model_len", "/meta/n_ctx"].iter().any(|path| item.pointer(path).is_some()),
            max_output_tokens: number(
                item,
                &[
                    "/top_provider/max_completion_tokens",
                    "/max_completion_tokens",
                    "/max_output_tokens",
                    "/max_completion_length",
                ],
            ),
            is_embedding,
            dimensions: None,
            capabilities: capabilities(item),
            price: price(&item["pricing"], provider_type),
        });
    }
    Some(list)
}

/// Gemini's list.
pub(super) fn google(body: &Value) -> Option<Vec<Listed>> {
    let items = body.get("models")?.as_array()?;
    let mut list = Vec::new();
    for item in items {
        let Some(name) = item["name"].as_str() else { continue };
        let id = name.strip_prefix("models/").unwrap_or(name);
        let methods = item["supportedGenerationMethods"].as_array().map(Vec::as_slice).unwrap_or_default();
        let can = |method: &str| methods.iter().any(|can| can == method);
        let is_embedding = can("embedContent") || can("batchEmbedContents");
        if id.is_empty() || id.len() > 200 || !(is_embedding || can("generateContent")) {
            continue;
        }
        let makes_other_things = ["-tts", "-image", "-audio", "imagen", "veo-", "robotics", "computer-use"];
        if makes_other_things.iter().any(|part| id.contains(part)) {
            continue;
        }
        let window = number(item, &["/inputTokenLimit"]);
        list.push(Listed {
            display_name: text(item, &["displayName"]),
            context_window: window,
            max_output_tokens: number(item, &["/outputTokenLimit"]),
            is_embedding,
            capabilities: Capabilities { reasoning: item["thinking"].as_bool(), ..Capabilities::default() },
            ..Listed::named(id)
        });
    }
    Some(list)
}

/// LM Studio's own list, which says what is loaded with how much context.
pub(super) fn lmstudio(body: &Value) -> Option<Vec<Listed>> {
    let items = body.get("data")?.as_array()?;
    let models = items.iter().filter_map(|item| {
        let id = item["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 200)?;
        let kind = item["type"].as_str().unwrap_or_default();
        let loaded = number(item, &["/loaded_context_length"]);
        let abilities = item["capabilities"].as_array();
        Some(Listed {
            context_window: loaded,
            is_in_force: loaded.is_some(),
            max_context_window: number(item, &["/max_context_length"]),
            is_embedding: kind.contains("embed"),
            capabilities: Capabilities {
                tools: abilities.map(|all| all.iter().any(|ability| ability == "tool_use")),
                images: Some(kind == "vlm"),
                reasoning: None,
            },
            ..Listed::named(id)
        })
    });
    Some(models.collect())
}

/// Names of Ollama's installed models.
pub(super) fn ollama_names(body: &Value) -> Option<Vec<String>> {
    let items = body.get("models")?.as_array()?;
    let names = items.iter().filter_map(|item| {
        let name = item["model"].as_str().or_else(|| item["name"].as_str())?;
        (!name.is_empty() && name.len() <= 200).then(|| name.to_owned())
    });
    Some(names.collect())
}

/// Ollama's description of one model. `usual_window` is what is asked for where the model's own file says nothing.
pub(super) fn ollama_model(name: &str, shown: &Value, usual_window: u32) -> Listed {
    let info = shown["model_info"].as_object();
    let of_architecture = |end: &str| {
        let found = info?.iter().find(|(key, _)| key.ends_with(end) && !key.contains(".vision."))?;
        found.1.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
    };
    let trained = of_architecture(".context_length");
    let set = shown["parameters"].as_str().and_then(|all| {
        let line = all.lines().find_map(|line| line.trim().strip_prefix("num_ctx"))?;
        line.trim().parse().ok().filter(|number: &u32| *number > 0)
    });
    let wanted = set.unwrap_or(usual_window);
    let abilities = shown["capabilities"].as_array();
    let can = |ability: &str| abilities.map(|all| all.iter().any(|can| can == ability));
    let is_embedding = match can("embedding") {
        Some(embeds) => embeds && can("completion") != Some(true),
        None => catalogue::is_embedding(name),
    };
    Listed {
        context_window: Some(trained.map_or(wanted, |trained| wanted.min(trained))),
        // It is sent with every request.
        is_in_force: true,
        max_context_window: trained.or(Some(wanted)),
        is_embedding,
        dimensions: if is_embedding { of_architecture(".embedding_length") } else { None },
        capabilities: Capabilities { tools: can("tools"), images: can("vision"), reasoning: can("thinking") },
        ..Listed::named(name)
    }
}

fn number(item: &Value, paths: &[&str]) -> Option<u32> {
    paths
        .iter()
        .find_map(|path| item.pointer(path).and_then(Value::as_u64))
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number > 0)
}

fn text(item: &Value, keys: &[&str]) -> Option<String> {
    keys.iter()
        .find_map(|key| item[*key].as_str().filter(|name| !name.is_empty()))
        .map(|name| name.chars().take(200).collect())
}

/// What OpenRouter, Mistral, Fireworks and vLLM's relatives say a model can do.
fn capabilities(item: &Value) -> Capabilities {
    let parameters = item["supported_parameters"].as_array();
    let takes = |name: &str| parameters.map(|all| all.iter().any(|one| one == name));
    let inputs = item.pointer("/architecture/input_modalities").and_then(Value::as_array);
    let of = |paths: &[&str]| paths.iter().find_map(|path| item.pointer(path).and_then(Value::as_bool));
    Capabilities {
        tools: takes("tools").or_else(|| of(&["/capabilities/function_calling", "/supports_tools"])),
        images: inputs
            .map(|all| all.iter().any(|one| one == "image"))
            .or_else(|| of(&["/capabilities/vision", "/supports_image_input"])),
        reasoning: takes("reasoning").or_else(|| of(&["/capabilities/reasoning"])),
    }
}

/// OpenRouter gives dollars per token as texts, Together dollars per million tokens as numbers.
fn price(pricing: &Value, provider_type: &str) -> Option<Price> {
    let (factor, input, output, cached, written) = match provider_type {
        "openrouter" => (1e12, "prompt", "completion", "input_cache_read", "input_cache_write"),
        "together" => (1e6, "input", "output", "cached_input", ""),
        _ => return None,
    };
    let micros = |key: &str| {
        let value = &pricing[key];
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
        let micros = (number * factor).round();
        // Below zero means that it depends.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked right here")]
        (0.0..1e15).contains(&micros).then_some(micros as u64)
    };
    Some(Price {
        input: micros(input)?,
        output: micros(output)?,
        cached_input: micros(cached).filter(|price| *price > 0),
        cache_write: micros(written).filter(|price| *price > 0),
        known: PRICE_LISTED,
        page: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_many_servers_are_read() {
        let body = json!({"object": "list", "data": [
            {"id": "a", "max_model_len": 8192},
            {"id": "b", "context_length": 32768, "top_provider": {"max_completion_tokens": 100}, "name": "Bee"},
            {"id": "text-embedding-3-small"},
            {"id": "e", "type": "embedding"},
            {"id": "whisper-1"}, {"id": "a"}, {"id": ""}, {"no": "id"}, 7,
            {"id": "old", "active": false}, {"id": "fim", "capabilities": {"completion_chat": false}},
            {"id": "picture", "type": "image"},
            {"id": "llama", "meta": {"n_ctx": 4096, "n_ctx_train": 131_072}},
        ]});
        let list = openai(&body, "openai").unwrap();
        let ids: Vec<_> = list.iter().map(|listed| listed.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "text-embedding-3-small", "e", "llama"]);
        assert_eq!((list[0].context_window, list[0].is_in_force), (Some(8192), true));
        assert_eq!((list[1].max_output_tokens, list[1].display_name.as_deref()), (Some(100), Some("Bee")));
        assert!(list[2].is_embedding && list[3].is_embedding && !list[1].is_embedding);
        assert_eq!((list[4].context_window, list[4].max_context_window), (Some(4096), Some(131_072)));

        assert_eq!(openai(&json!({"models": [{"name": "x:latest"}]}), "vllm").unwrap()[0].id, "x:latest");
        assert_eq!(openai(&json!([{"id": "t"}]), "together").unwrap()[0].id, "t");
        assert!(openai(&json!({"hello": 1}), "openai").is_none());
    }

    #[test]
    fn prices_and_abilities_are_taken_from_lists_that_have_them() {
        let router = json!({"data": [{
            "id": "anthropic/claude-sonnet-4.5", "context_length": 1_000_000,
            "architecture": {"input_modalities": ["text", "image"]},
            "supported_parameters": ["tools", "reasoning", "temperature"],
            "pricing": {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003", "input_cache_write": "0.00000375"},
        }, {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}}]});
        let list = openai(&router, "openrouter").unwrap();
        let price = list[0].price.unwrap();
        assert_eq!((price.input, price.output, price.known), (3_000_000, 15_000_000, "listed"));
        assert_eq!((price.cached_input, price.cache_write), (Some(300_000), Some(3_750_000)));
        assert_eq!(
            list[0].capabilities,
            Capabilities { tools: Some(true), images: Some(true), reasoning: Some(true) }
        );
        assert_eq!(list[1].price, None);

        let together = json!([{"id": "x", "type": "chat", "pricing": {"input": 0.88, "output": 0.88}}]);
        assert_eq!(openai(&together, "together").unwrap()[0].price.unwrap().input, 880_000);
        assert_eq!(openai(&together, "openai").unwrap()[0].price, None);
    }

    #[test]
    fn local_runtimes_say_what_is_in_force() {
        let shown = json!({
            "capabilities": ["completion", "tools", "vision"], "parameters": "stop  \"x\"\nnum_ctx   16384",
            "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 131_072, "gemma3.vision.embedding_length": 9},
        });
        let model = ollama_model("gemma3:4b", &shown, 32_768);
        assert_eq!((model.context_window, model.max_context_window), (Some(16_384), Some(131_072)));
        assert_eq!((model.capabilities.tools, model.capabilities.reasoning), (Some(true), Some(false)));
        // What it was not trained for is not asked for.
        let small = json!({"model_info": {"x.context_length": 2048}});
        assert_eq!(ollama_model("x", &small, 32_768).context_window, Some(2048));
        assert_eq!(ollama_model("old", &json!({}), 32_768).context_window, Some(32_768));
        let embedder = json!({"capabilities": ["embedding"], "model_info": {"b.embedding_length": 768, "b.context_length": 512}});
        let embedder = ollama_model("mine", &embedder, 32_768);
        assert!(embedder.is_embedding && embedder.dimensions == Some(768));

        let studio = json!({"data": [
            {"id": "q", "type": "vlm", "max_context_length": 131_072, "loaded_context_length": 4096, "capabilities": ["tool_use"]},
            {"id": "p", "type": "llm", "max_context_length": 8192},
            {"id": "e", "type": "embeddings"},
        ]});
        let list = lmstudio(&studio).unwrap();
        assert_eq!((list[0].context_window, list[0].max_context_window), (Some(4096), Some(131_072)));
        assert!(list[0].is_in_force && !list[1].is_in_force && list[2].is_embedding);
        assert_eq!((list[1].context_window, list[1].capabilities.tools), (None, None));

        let google = google(&json!({"models": [
            {"name": "models/gemini-2.5-pro", "inputTokenLimit": 1_048_576, "supportedGenerationMethods": ["generateContent"], "thinking": true},
            {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]},
            {"name": "models/imagen-4", "supportedGenerationMethods": ["predict"]},
        ]}))
        .unwrap();
        let ids: Vec<_> = google.iter().map(|listed| (listed.id.as_str(), listed.is_embedding)).collect();
        assert_eq!(ids, [("gemini-2.5-pro", false), ("gemini-embedding-001", true)]);
    }
}

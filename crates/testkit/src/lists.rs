//! What the fake offers besides chat: lists of models and embeddings, in each provider's form.

use serde_json::{Value, json};

const CHAT: [&str; 3] = ["gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5"];
const EMBEDDING: &str = "text-embedding-3-small";
/// Length of every vector.
pub const DIMENSIONS: usize = 8;

/// OpenAI's list, which Anthropic's readers take as well.
pub fn openai() -> Value {
    let model = |id: &str| json!({"id": id, "object": "model", "type": "model", "created": 1_763_665_442, "owned_by": "test"});
    let data: Vec<_> = CHAT.into_iter().chain([EMBEDDING]).map(model).collect();
    json!({"object": "list", "data": data, "has_more": false})
}

/// Gemini's list.
pub fn google() -> Value {
    json!({"models": [
        {
            "name": "models/gemini-2.5-flash", "displayName": "Gemini 2.5 Flash", "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536, "thinking": true,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        },
        {
            "name": "models/gemini-embedding-001", "displayName": "Gemini Embedding 001", "inputTokenLimit": 2048,
            "supportedGenerationMethods": ["embedContent"],
        },
        {"name": "models/imagen-4", "displayName": "Imagen 4", "supportedGenerationMethods": ["predict"]},
    ]})
}

/// Ollama's installed models.
pub fn ollama_tags() -> Value {
    let model = |name: &str, family: &str| {
        json!({
            "name": name, "model": name, "size": 5_000_000_000_u64, "digest": "abc",
            "details": {"format": "gguf", "family": family, "parameter_size": "8B", "quantization_level": "Q4_K_M"},
        })
    };
    json!({"models": [model("qwen3:8b", "qwen3"), model("nomic-embed-text:latest", "nomic-bert")]})
}

/// Ollama's description of one model.
pub fn ollama_show(body: &Value) -> Option<Value> {
    let name = body["model"].as_str().or_else(|| body["name"].as_str()).unwrap_or_default();
    if name.starts_with("nomic") {
        return Some(json!({
            "capabilities": ["embedding"], "parameters": "num_ctx                        8192",
            "details": {"family": "nomic-bert"},
            "model_info": {"general.architecture": "nomic-bert", "nomic-bert.context_length": 2048, "nomic-bert.embedding_length": 768},
        }));
    }
    name.starts_with("qwen3").then(|| {
        json!({
            "capabilities": ["completion", "tools", "thinking"],
            "parameters": "temperature                    0.6\nstop                           \"<|im_end|>\"",
            "details": {"family": "qwen3", "parameter_size": "8B", "quantization_level": "Q4_K_M"},
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960, "qwen3.embedding_length": 4096},
        })
    })
}

/// A direction that depends on the bytes only, so that equal texts are equal.
fn vector(text: &str) -> [f64; DIMENSIONS] {
    let mut vector = [0.0; DIMENSIONS];
    for (at, byte) in text.bytes().enumerate() {
        vector[at % DIMENSIONS] += f64::from(byte) / 255.0;
    }
    vector
}

fn inputs(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(inputs) => inputs.iter().map(|input| input.as_str().unwrap_or_default()).collect(),
        one => vec![one.as_str().unwrap_or_default()],
    }
}

/// OpenAI's embeddings.
pub fn embed_openai(body: &Value) -> Value {
    let data = inputs(&body["input"])
        .into_iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": vector(text)}));
    let data: Vec<_> = data.collect();
    json!({"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
}

/// Gemini's embeddings of a batch.
pub fn embed_google(body: &Value) -> Value {
    let requests = body["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = requests.iter().map(|one| one["content"]["parts"][0]["text"].as_str().unwrap_or_default());
    let embeddings: Vec<_> = texts.map(|text| json!({"values": vector(text)})).collect();
    json!({"embeddings": embeddings})
}

/// Ollama's embeddings.
pub fn embed_ollama(body: &Value) -> Value {
    let embeddings: Vec<_> = inputs(&body["input"]).into_iter().map(|text| json!(vector(text))).collect();
    json!({"model": body["model"], "embeddings": embeddings, "prompt_eval_count": 1})
}

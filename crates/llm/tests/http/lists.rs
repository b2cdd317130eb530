//! Which models there are.

use std::time::Duration;

use loci_api::chat::ChatErrorKind as K;
use loci_llm::{Models, Options, ProviderConfig, WindowSource};
use loci_testkit::{model::FakeModel, reply::Reply};
use serde_json::json;

use crate::support::{KINDS, Kind, impatient, start, start_with};

fn handles(list: &[loci_llm::ModelInfo]) -> Vec<&str> {
    list.iter().map(|model| model.handle.as_str()).collect()
}

#[tokio::test]
async fn what_the_provider_has_is_listed_with_rehearsal_last() {
    let (fake, models) = start(Kind::OpenAi).await;
    let list = models.list().await;
    assert_eq!(
        handles(&list),
        ["openai/gpt-4.1", "openai/gpt-4.1-mini", "openai/claude-sonnet-4-5", "rehearsal/rehearsal"]
    );
    assert_eq!((list[0].display_name.as_str(), list[0].context_window), ("GPT-4.1", 1_047_576));
    let embeddings = models.list_embeddings().await;
    assert_eq!(embeddings.len(), 1);
    assert_eq!(
        (embeddings[0].handle.as_str(), embeddings[0].dimensions),
        ("openai/text-embedding-3-small", 1536)
    );
    models.list().await;
    assert_eq!(fake.times_listed(), 1, "kept");
}

#[tokio::test]
async fn both_protocols_list() {
    for kind in KINDS {
        let (_fake, models) = start(kind).await;
        assert!(models.list().await.len() > 1, "{kind:?}");
    }
}

#[tokio::test]
async fn rehearsal_stands_alone_only_where_nothing_else_is_configured() {
    let none = Models::new(Vec::new()).unwrap();
    assert!(!none.has_real_provider());
    assert_eq!(handles(&none.list().await), ["rehearsal/rehearsal"]);

    let (fake, models) = start(Kind::OpenAi).await;
    fake.list_models(500, json!({"error": "broken"}));
    assert!(models.has_real_provider());
    assert!(models.list().await.is_empty());
    models.list().await;
    assert_eq!(fake.times_listed(), 1, "a failure is believed for a moment");
    assert!(models.resolve("rehearsal/rehearsal").is_ok());
    models.set_providers(vec![Kind::OpenAi.config(&fake)]).unwrap();
    models.list().await;
    assert_eq!(fake.times_listed(), 2, "new providers are asked anew");
}

#[tokio::test]
async fn an_old_list_is_given_while_a_new_one_is_fetched() {
    let options = Options { list_fresh: Duration::ZERO, ..impatient() };
    let (fake, models) = start_with(Kind::OpenAi, options).await;
    assert_eq!(models.list().await.len(), 4);
    fake.list_models(200, json!({"data": [{"id": "only", "max_model_len": 9000}]}));
    assert_eq!(models.list().await.len(), 4, "the old one");
    let renewed = async {
        while models.list().await.len() != 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), renewed).await.unwrap();
    assert_eq!(handles(&models.list().await), ["openai/only", "rehearsal/rehearsal"]);
    assert_eq!(models.resolve("openai/only").unwrap().context_window, 9000);
    assert_eq!(models.resolve("openai/other").unwrap().context_window, 128_000);
}

#[tokio::test]
async fn a_silent_provider_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (fake, _) = start(Kind::OpenAi).await;
    let mut silent = Kind::OpenAi.config(&fake);
    silent.name = "silent".to_owned();
    silent.base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let options = Options { list_wait: Duration::from_millis(1000), ..impatient() };
    let models = Models::with_options(vec![silent, Kind::OpenAi.config(&fake)], options).unwrap();
    let list = models.list().await;
    assert_eq!(list[0].handle, "openai/gpt-4.1", "the first entry can be reached");
}

#[tokio::test]
async fn an_address_and_a_key_can_be_tried() {
    let (fake, _) = start(Kind::OpenAi).await;
    let models = Models::new(Vec::new()).unwrap();
    assert_eq!(models.check(Kind::OpenAi.config(&fake)).await.unwrap().len(), 3);
    fake.list_models(401, json!({"error": {"message": "bad key"}}));
    assert_eq!(models.check(Kind::OpenAi.config(&fake)).await.unwrap_err().kind, K::LlmAuthentication);
    fake.list_models(200, json!("hello"));
    assert_eq!(models.check(Kind::OpenAi.config(&fake)).await.unwrap_err().kind, K::LlmError);
    let mut config = Kind::OpenAi.config(&fake);
    config.base_url = "nonsense".to_owned();
    assert_eq!(models.check(config).await.unwrap_err().kind, K::LlmBadRequest);
}

/// A provider of this kind at the fake, under its usual path.
async fn runtime(kind: &str, path: &str) -> (FakeModel, Models) {
    let fake = FakeModel::start().await.unwrap();
    let config = ProviderConfig {
        base_url: format!("{}{path}", fake.url()),
        ..ProviderConfig::of_kind(kind).unwrap()
    };
    (fake, Models::with_options(vec![config], impatient()).unwrap())
}

#[tokio::test]
async fn ollama_tells_of_every_model_what_it_can_and_holds() {
    let (fake, models) = start(Kind::Ollama).await;
    let list = models.list().await;
    assert_eq!(handles(&list), ["ollama/qwen3:8b", "rehearsal/rehearsal"]);
    let qwen = &list[0];
    assert_eq!((qwen.context_window, qwen.max_context_window), (32_768, 40_960));
    assert_eq!(qwen.window_source, WindowSource::InForce);
    assert_eq!((qwen.capabilities.tools, qwen.capabilities.images), (Some(true), Some(false)));
    assert!(qwen.reasons && qwen.price.is_none());

    // What was learned is what is asked for.
    fake.script([Reply::text("x"), Reply::text("y")]);
    let mut asked = crate::support::request(Kind::Ollama, true);
    asked.options.context_window = Some(1_000_000);
    crate::support::gather(&models, asked).await;
    let sent = fake.requests()[0].body.clone();
    assert_eq!((&sent["options"]["num_ctx"], &sent["think"]), (&json!(40_960), &json!(true)));
}

#[tokio::test]
async fn a_runtime_is_believed_about_its_window() {
    let (fake, models) = runtime("llamacpp", "/v1").await;
    fake.list_models(
        200,
        json!({"object": "list", "data": [{"id": "gpt-oss-20b", "meta": {"n_ctx_train": 131_072}}]}),
    );
    fake.page(
        "/props",
        200,
        json!({"default_generation_settings": {"n_ctx": 4096}, "modalities": {"vision": true}}),
    );
    let list = models.list().await;
    assert_eq!((list[0].context_window, list[0].max_context_window), (4096, 131_072));
    assert_eq!((list[0].window_source, list[0].capabilities.images), (WindowSource::InForce, Some(true)));
    // The API has no word for this kind of provider.
    assert_eq!((list[0].provider_type.as_str(), list[0].endpoint_type.as_str()), ("openai", "llamacpp"));

    let (fake, models) = runtime("lmstudio_openai", "/v1").await;
    fake.page(
        "/api/v0/models",
        200,
        json!({"data": [
            {"id": "loaded", "type": "llm", "max_context_length": 131_072, "loaded_context_length": 4096},
            {"id": "not-loaded", "type": "llm", "max_context_length": 131_072},
        ]}),
    );
    let list = models.list().await;
    assert_eq!((list[0].context_window, list[0].window_source), (4096, WindowSource::InForce));
    assert_eq!((list[1].context_window, list[1].window_source), (32_768, WindowSource::Assumed));

    // Older ones have only the other list.
    let (_fake, models) = runtime("lmstudio_openai", "/v1").await;
    assert_eq!(models.list().await.len(), 4);
    let (fake, models) = runtime("vllm", "/v1").await;
    fake.list_models(200, json!({"data": [{"id": "x", "max_model_len": 9000}]}));
    assert_eq!(models.list().await[0].window_source, WindowSource::InForce);
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_told_of_with_the_reason() {
    let (fake, models) = start(Kind::OpenAi).await;
    assert_eq!(models.status()[0].models, None);
    fake.list_models(401, json!({"error": {"message": "bad key"}}));
    assert_eq!(models.refresh("openai").await.unwrap_err().kind, K::LlmAuthentication);
    let status = models.status().remove(0);
    assert_eq!((status.name.as_str(), status.models), ("openai", None));
    assert!(status.problem.unwrap().message.contains("API key"));
    fake.list_models(200, json!({"data": [{"id": "m"}]}));
    assert_eq!(models.refresh("openai").await.unwrap().len(), 1);
    assert_eq!((models.status()[0].models, models.status()[0].problem.clone()), (Some(1), None));
    assert_eq!(models.refresh("nobody").await.unwrap_err().kind, K::UnknownModel);
}

#[tokio::test]
async fn a_handle_keeps_its_name_at_another_address_and_only_makers_have_prices() {
    let (_fake, models) = start(Kind::OpenAi).await;
    let here = models.resolve("openai/gpt-4.1").unwrap();
    assert_eq!((here.handle.as_str(), here.price), ("openai/gpt-4.1", None));
    let official = Models::new(vec![ProviderConfig::of_kind("openai").unwrap()]).unwrap();
    assert_eq!(official.resolve("openai/gpt-4.1").unwrap().price.unwrap().input, 2_000_000);
}

//! Vectors: asked for in each provider's form, checked, tried again.

use loci_api::chat::ChatErrorKind as K;
use loci_llm::{Models, TextRole};
use loci_testkit::reply::Reply;
use serde_json::json;

use crate::support::{KEY, Kind, start};

const WITH_EMBEDDINGS: [(Kind, &str, &str); 4] = [
    (Kind::OpenAi, "openai/text-embedding-3-small", "/v1/embeddings"),
    (Kind::Responses, "openai/text-embedding-3-small", "/v1/embeddings"),
    (
        Kind::Google,
        "google_ai/gemini-embedding-001",
        "/v1beta/models/gemini-embedding-001:batchEmbedContents",
    ),
    (Kind::Ollama, "ollama/nomic-embed-text", "/api/embed"),
];

#[tokio::test]
async fn every_text_gets_its_vector_in_as_few_requests_as_fit() {
    let texts: Vec<String> = (0..70).map(|number| format!("text {number}")).collect();
    for (kind, handle, path) in WITH_EMBEDDINGS {
        let (fake, models) = start(kind).await;
        let embedder = models.embedder(handle).unwrap();
        assert_eq!(embedder.handle(), handle);
        let embedded = embedder.embed(&texts, TextRole::Passage).await.unwrap();
        assert_eq!((embedded.vectors.len(), embedded.dimensions), (70, 8), "{kind:?}");
        assert!(embedded.vectors[0] != embedded.vectors[1]);
        let alone = embedder.embed(&texts[69..], TextRole::Query).await.unwrap();
        assert_eq!(alone.vectors[0], embedded.vectors[69]);
        let seen = fake.embeddings();
        assert_eq!(seen.len(), 3, "64, 6 and 1");
        assert_eq!(seen[0].path, path);
        assert!(seen[0].headers.values().any(|value| value.to_str().unwrap().contains(KEY)));
        assert!(!seen[0].path.contains(KEY));
        assert!(embedder.embed(&[], TextRole::Query).await.unwrap().vectors.is_empty());
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_rest_says_why() {
    for (kind, handle, _) in WITH_EMBEDDINGS {
        let (fake, models) = start(kind).await;
        let embedder = models.embedder(handle).unwrap();
        let text = ["x".to_owned()];
        fake.fail_embeddings([Reply::failure(503, "loading"), Reply::failure(429, "slow")]);
        assert_eq!(embedder.embed(&text, TextRole::Query).await.unwrap().dimensions, 8);
        assert_eq!(fake.embeddings().len(), 3);

        fake.fail_embeddings([Reply::failure(401, format!("bad key {KEY}"))]);
        let error = embedder.embed(&text, TextRole::Query).await.unwrap_err();
        assert_eq!((error.kind, error.message.contains(KEY)), (K::LlmAuthentication, false));

        let nonsense = Reply { raw: Some(json!({"hello": 1}).to_string()), ..Reply::default() };
        fake.fail_embeddings([nonsense]);
        let error = embedder.embed(&text, TextRole::Query).await.unwrap_err();
        assert!(error.message.contains("no list of vectors"), "{kind:?} {error}");
    }
}

#[tokio::test]
async fn an_embedder_that_is_not_there_is_an_error_with_a_reason() {
    let (_fake, models) = start(Kind::Anthropic).await;
    let reason = |handle: &str| models.embedder(handle).err().unwrap().message;
    assert!(reason("anthropic/x").contains("makes no embeddings"));
    assert!(reason("rehearsal/rehearsal").contains("makes no embeddings"));
    assert!(reason("openai/text-embedding-3-small").contains("OPENAI_API_KEY"));
    assert!(reason("nonsense").contains("provider/model"));
    assert!(
        Models::new(Vec::new())
            .unwrap()
            .embedder("ollama/x")
            .err()
            .unwrap()
            .message
            .contains("OLLAMA_BASE_URL")
    );
}

#[tokio::test]
async fn the_length_of_vectors_is_known_from_the_list_or_the_name() {
    let (_fake, models) = start(Kind::Ollama).await;
    assert_eq!(models.embedder("ollama/nomic-embed-text:latest").unwrap().dimensions(), Some(768));
    assert_eq!(models.embedder("ollama/mine").unwrap().dimensions(), None);
    let listed = models.list_embeddings().await;
    assert_eq!((listed[0].handle.as_str(), listed[0].dimensions), ("ollama/nomic-embed-text:latest", 768));
}

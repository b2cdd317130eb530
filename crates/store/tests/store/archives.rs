//! Archives, passages, and finding them by words and by vectors.

use loci_api::{
    agent::EmbeddingConfig,
    archive::{Archive, Passage, TagMatchMode},
    ids::{ArchiveId, PassageId},
    time::Timestamp,
};
use loci_store::{
    Connection, Page,
    table::{
        agent, archive,
        archive::ArchiveFilter,
        passage,
        passage::PassageFilter,
        passage_search::{self, Search},
    },
};

use crate::fixture::{NOW, check, later, stored_agent};

fn archive(name: &str, handle: Option<&str>) -> Archive {
    Archive {
        id: ArchiveId::new(),
        name: name.to_owned(),
        description: None,
        vector_db_provider: "native".to_owned(),
        embedding_config: handle.map(|handle| EmbeddingConfig {
            embedding_endpoint_type: "openai".to_owned(),
            embedding_endpoint: None,
            embedding_model: "e".to_owned(),
            embedding_dim: 2,
            embedding_chunk_size: None,
            handle: Some(handle.to_owned()),
            batch_size: 32,
            azure_endpoint: None,
            azure_version: None,
            azure_deployment: None,
        }),
        metadata: None,
        organization_id: loci_api::ids::DEFAULT_ORGANIZATION_ID.to_owned(),
        created_by_id: None,
        last_updated_by_id: None,
        created_at: NOW,
        updated_at: Some(NOW),
    }
}

fn put(conn: &Connection, archive: &Archive, text: &str, tags: &[&str], at: Timestamp) -> PassageId {
    let passage = Passage {
        id: PassageId::new(),
        text: text.to_owned(),
        archive_id: None,
        tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
        metadata: None,
        embedding: (),
        embedding_config: None,
        source_id: None,
        file_id: None,
        file_name: None,
        is_deleted: false,
        created_by_id: None,
        last_updated_by_id: None,
        created_at: Some(at),
        updated_at: None,
    };
    passage::insert(conn, &passage, &archive.id).unwrap();
    passage.id
}

fn texts(conn: &Connection, search: &Search) -> Vec<String> {
    let search = Search { limit: 10, ..search.clone() };
    passage_search::search(conn, &search).unwrap().into_iter().map(|hit| hit.passage.text).collect()
}

#[tokio::test]
async fn an_agent_s_own_archive_goes_with_it_and_a_shared_one_stays() {
    check(|conn| {
        let (one, other) = (stored_agent(conn, "one"), stored_agent(conn, "other"));
        let (own, shared) = (archive("own", None), archive("shared", None));
        for archive in [&own, &shared] {
            archive::insert(conn, archive).unwrap();
        }
        archive::attach(conn, &one, &shared.id, true).unwrap();
        archive::attach(conn, &one, &shared.id, true).unwrap();
        archive::attach(conn, &other, &shared.id, false).unwrap();
        archive::attach(conn, &one, &own.id, true).unwrap();
        put(conn, &own, "a note", &[], NOW);
        assert_eq!(archive::list_for_agent(conn, &one).unwrap().len(), 2);
        assert_eq!(archive::own(conn, &other).unwrap(), []);
        let named = ArchiveFilter { name: Some("own".to_owned()), agent_id: Some(one.clone()) };
        assert_eq!(archive::list(conn, &named, &Page::newest(5)).unwrap()[0].id, own.id);
        agent::delete(conn, &one).unwrap();
        assert_eq!(archive::get(conn, &own.id).unwrap(), None);
        assert_eq!(passage::count(conn, &PassageFilter::default()).unwrap(), 0);
        assert_eq!(
            texts(conn, &Search { query: "note".to_owned(), ..Search::default() }),
            Vec::<String>::new()
        );
        assert_eq!(archive::agents(conn, &shared.id).unwrap(), std::slice::from_ref(&other));
        assert!(archive::detach(conn, &other, &shared.id).unwrap());
    })
    .await;
}

#[tokio::test]
async fn words_tags_and_times_narrow_what_is_found() {
    check(|conn| {
        let agent = stored_agent(conn, "one");
        let (mine, strange) = (archive("mine", None), archive("strange", None));
        for archive in [&mine, &strange] {
            archive::insert(conn, archive).unwrap();
        }
        archive::attach(conn, &agent, &mine.id, true).unwrap();
        put(conn, &mine, "Mira prefers green tea", &["drink", "mira"], NOW);
        put(conn, &mine, "The heron's code is 42", &["code"], later(60));
        put(conn, &strange, "Somebody else likes green tea", &["drink"], NOW);
        let of = |query: &str| Search {
            query: query.to_owned(),
            agent_id: Some(agent.clone()),
            ..Search::default()
        };
        assert_eq!(texts(conn, &of("green tea")), ["Mira prefers green tea"]);
        assert_eq!(texts(conn, &of("what code does the heron have?")), ["The heron's code is 42",]);
        assert_eq!(texts(conn, &of("")).len(), 2);
        assert_eq!(texts(conn, &of("…")), Vec::<String>::new());
        let tagged = |tags: &[&str], mode| Search {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            tag_match_mode: mode,
            ..of("")
        };
        assert_eq!(texts(conn, &tagged(&["mira", "code"], TagMatchMode::Any)).len(), 2);
        assert_eq!(texts(conn, &tagged(&["mira", "drink"], TagMatchMode::All)), ["Mira prefers green tea"]);
        assert_eq!(texts(conn, &Search { start: Some(later(1)), ..of("") }), ["The heron's code is 42"]);
        assert_eq!(texts(conn, &Search { end: Some(NOW), ..of("") }), ["Mira prefers green tea"]);
        assert_eq!(passage::tags_for_agent(conn, &agent, 9).unwrap(), ["code", "drink", "mira"]);
    })
    .await;
}

#[tokio::test]
async fn vectors_find_what_words_do_not_and_only_those_of_the_archive_s_model_count() {
    check(|conn| {
        let mut notes = archive("notes", Some("p/one"));
        archive::insert(conn, &notes).unwrap();
        put(conn, &notes, "alpha", &[], NOW);
        put(conn, &notes, "beta", &[], later(1));
        let waiting = passage::pending(conn, &notes.id, "p/one", 9).unwrap();
        assert_eq!(waiting.len(), 2);
        passage::set_vector(conn, waiting[0].sequence, "p/one", &[1.0, 0.0]).unwrap();
        passage::set_vector_error(conn, waiting[1].sequence, "too long").unwrap();
        assert_eq!(passage::pending(conn, &notes.id, "p/one", 9).unwrap(), []);
        let (progress, why) = passage::progress(conn, &notes.id, "p/one").unwrap();
        assert_eq!((progress.passages, progress.embedded, progress.failed), (2, 1, 1));
        assert_eq!(why.as_deref(), Some("too long"));
        passage::forget_errors(conn, &notes.id).unwrap();
        passage::set_vector(conn, waiting[1].sequence, "p/one", &[0.0, 1.0]).unwrap();

        let near = Search {
            query: "unrelated".to_owned(),
            vectors: vec![("p/one".to_owned(), vec![0.6, 0.8])],
            limit: 5,
            ..Search::default()
        };
        let hits = passage_search::search(conn, &near).unwrap();
        assert_eq!(
            (hits[0].passage.text.as_str(), hits[0].vector_rank, hits[0].word_rank),
            ("beta", Some(1), None)
        );
        let both = Search { query: "alpha".to_owned(), ..near.clone() };
        assert_eq!(
            passage_search::search(conn, &both).unwrap()[0].passage.text,
            "alpha",
            "two ranks beat one"
        );

        notes.embedding_config = archive("x", Some("p/two")).embedding_config;
        archive::update(conn, &notes).unwrap();
        assert_eq!(passage::pending(conn, &notes.id, "p/two", 9).unwrap().len(), 2, "all are marked");
        assert_eq!(passage_search::search(conn, &near).unwrap(), [], "old vectors do not count any more");
        assert_eq!(texts(conn, &Search { vectors: Vec::new(), query: "beta".to_owned(), ..near }), ["beta"]);
    })
    .await;
}

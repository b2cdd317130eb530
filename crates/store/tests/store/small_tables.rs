//! Settings, providers, the user, identities.

use loci_api::ids::{DEFAULT_USER_ID, IdentityId, ProviderId};
use loci_store::{
    Page, StoreError,
    table::{
        identity::{self, Identity, IdentityFilter},
        provider::{self, ProviderFilter, ProviderRow},
        setting, user,
    },
};
use serde_json::json;

use crate::fixture::{NOW, check, later};

#[tokio::test]
async fn settings_are_json_under_a_key() {
    check(|conn| {
        assert_eq!(setting::get(conn, "theme").unwrap(), None);
        setting::set(conn, "theme", &json!("dark"), NOW).unwrap();
        setting::set(conn, "theme", &json!({"name": "light"}), NOW).unwrap();
        setting::set(conn, "a", &json!(null), NOW).unwrap();
        let all = [("a".to_owned(), json!(null)), ("theme".to_owned(), json!({"name": "light"}))];
        assert_eq!(setting::list(conn).unwrap(), all);
        assert!(setting::delete(conn, "theme").unwrap());
        assert!(!setting::delete(conn, "theme").unwrap());
    })
    .await;
}

#[tokio::test]
async fn there_is_one_user() {
    check(|conn| {
        let user = user::get(conn).unwrap();
        assert_eq!(user.id.as_str(), DEFAULT_USER_ID);
        user::rename(conn, &user.id, "Mira").unwrap();
        assert_eq!(user::get(conn).unwrap().name, "Mira");
    })
    .await;
}

#[tokio::test]
async fn providers_have_unique_names_and_no_keys() {
    check(|conn| {
        let row = |name: &str| ProviderRow {
            id: ProviderId::new(),
            name: name.to_owned(),
            provider_type: "openai".to_owned(),
            provider_category: "byok".to_owned(),
            base_url: Some("http://localhost:1234/v1".to_owned()),
            api_version: None,
            region: None,
            last_synced: None,
            created_at: NOW,
            updated_at: NOW,
        };
        let first = row("mine");
        provider::insert(conn, &first).unwrap();
        assert!(matches!(
            provider::insert(conn, &row("mine")),
            Err(StoreError::Duplicate { what: "provider name", .. })
        ));
        let newer = ProviderRow { base_url: None, updated_at: later(1), created_at: later(1), ..row("mine") };
        assert_eq!(provider::upsert_by_name(conn, &newer).unwrap(), first.id);
        let expected = ProviderRow { base_url: None, updated_at: later(1), ..first.clone() };
        assert_eq!(provider::get(conn, &first.id).unwrap(), Some(expected));
        let other = row("other");
        assert_eq!(provider::upsert_by_name(conn, &other).unwrap(), other.id);
        let filter = ProviderFilter { name: Some("other".to_owned()), ..ProviderFilter::default() };
        assert_eq!(provider::list(conn, &filter, &Page::newest(9)).unwrap(), std::slice::from_ref(&other));
        assert!(provider::delete(conn, &other.id).unwrap());
        assert!(matches!(provider::update(conn, &other), Err(StoreError::NotFound { what: "provider", .. })));
    })
    .await;
}

#[tokio::test]
async fn identities_have_unique_keys() {
    check(|conn| {
        let mut row = Identity {
            id: IdentityId::new(),
            identifier_key: "k".to_owned(),
            name: "Mira".to_owned(),
            identity_type: "user".to_owned(),
            project_id: None,
            properties: Vec::new(),
            created_at: NOW,
            updated_at: NOW,
        };
        identity::insert(conn, &row).unwrap();
        let twin = Identity { id: IdentityId::new(), ..row.clone() };
        let taken = identity::insert(conn, &twin).unwrap_err();
        assert!(
            matches!(&taken, StoreError::Duplicate { what: "identifier key", value } if value == "k"),
            "{taken:?}"
        );
        row.name = "Ada".to_owned();
        row.properties = vec![json!({"key": "a"})];
        identity::update(conn, &row).unwrap();
        assert_eq!(identity::get(conn, &row.id).unwrap(), Some(row.clone()));
        let filter = IdentityFilter { identity_type: Some("user".to_owned()), ..IdentityFilter::default() };
        assert_eq!(identity::list(conn, &filter, &Page::newest(9)).unwrap(), [row.clone()]);
        assert!(identity::delete(conn, &row.id).unwrap());
        assert!(matches!(identity::update(conn, &row), Err(StoreError::NotFound { .. })));
    })
    .await;
}

//! Settings, status, and what is not there.

use http::Method;
use serde_json::json;

use crate::fixture::Fixture;

#[tokio::test]
async fn settings_change_one_by_one_and_stay() {
    let desk = Fixture::new().await;
    let mut wanted = json!({
        "theme": "system",
        "language": "system",
        "close_to_tray": false,
        "notify_approvals": true,
        "notify_finished": true,
        "expire_unattended_hours": 24.0,
        "confine_commands": true,
    });
    assert_eq!(desk.get("/workbench/settings").await.ok(), wanted);
    let changed = desk.call(Method::PATCH, "/workbench/settings", json!({"theme": "dark"})).await.ok();
    wanted["theme"] = json!("dark");
    assert_eq!(changed, wanted);
    let never = json!({"expire_unattended_hours": null, "close_to_tray": true});
    desk.call(Method::PATCH, "/workbench/settings", never).await.ok();
    (wanted["expire_unattended_hours"], wanted["close_to_tray"]) = (json!(null), json!(true));
    for bad in [
        json!({"theme": "pink"}),
        json!({"colour": "red"}),
        json!({"expire_unattended_hours": 0}),
        json!({"expire_unattended_hours": -1}),
        json!([]),
        json!("x"),
    ] {
        desk.call(Method::PATCH, "/workbench/settings", bad).await.refusal(422);
    }
    let desk = desk.restarted().await;
    desk.call(Method::PATCH, "/workbench/settings", json!({"language": "de"})).await.ok();
    wanted["language"] = json!("de");
    assert_eq!(desk.get("/workbench/settings").await.ok(), wanted);
}

#[tokio::test]
async fn status_says_how_secrets_are_kept() {
    let desk = Fixture::new().await;
    let status = desk.get("/workbench/status").await.ok();
    assert_eq!(status["transport"], "window");
    assert_eq!(status["secrets"]["store"], "memory");
    assert_eq!(status["secrets"]["available"], false);
    assert!(status["secrets"]["reason"]["message"].as_str().unwrap().contains("Loci runs"));
}

#[tokio::test]
async fn odd_requests_are_refused_in_the_api_s_shape() {
    let desk = Fixture::new().await;
    desk.get("/workbench/nothing").await.refusal(404);
    desk.call(Method::DELETE, "/workbench/settings", json!({})).await.refusal(405);
    let request = http::Request::patch("/workbench/settings").body("{".into()).unwrap();
    desk.send(request).await.refusal(422);
    let request = http::Request::patch("/workbench/settings").body(vec![b' '; 9 << 20].into()).unwrap();
    desk.send(request).await.refusal(413);
}

//! Which folder an agent may use.

use http::Method;
use loci_api::ids::AgentId;
use serde_json::{Value, json};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_folder_is_chosen_per_agent_and_taken_away() {
    let desk = Fixture::new().await;
    let (one, two) = (AgentId::new(), AgentId::new());
    let of =
        async |agent: &AgentId| desk.get(&format!("/workbench/client-tools?agent_id={agent}")).await.ok();
    assert_eq!(of(&one).await["folder"], Value::Null);
    assert_eq!(of(&one).await["tools"], json!([]), "all that is offered by itself needs a folder");

    let notes = desk.notes();
    let choose = async |agent: &AgentId, folder: Value| {
        desk.call(Method::PUT, "/workbench/client-tools/folder", json!({"agent_id": agent, "folder": folder}))
            .await
    };
    let chosen = choose(&one, json!(format!("{}/./", notes.display()))).await.ok();
    assert_eq!(chosen["folder"], json!(notes));
    assert_eq!(of(&one).await["folder"], json!(notes));
    assert_eq!(of(&two).await["folder"], Value::Null, "another agent's folder is its own");
    let offered = of(&one).await;
    assert_eq!(
        names(&offered["tools"]),
        ["list_directory", "read_file", "search_files", "write_file", "edit_file"]
    );

    for (folder, wanted) in [("notes", "whole path"), ("/nowhere/at/all", "no folder"), ("/", "whole disk")] {
        let problem = choose(&one, json!(folder)).await.refusal(400);
        assert!(problem.contains(wanted), "{problem}");
    }
    assert_eq!(of(&one).await["folder"], json!(notes), "a refused choice changes nothing");
    assert_eq!(choose(&one, Value::Null).await.ok()["folder"], Value::Null);
    assert_eq!(of(&one).await["folder"], Value::Null);
}

fn names(tools: &Value) -> Vec<&str> {
    tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

fn entry<'a>(offered: &'a Value, name: &str) -> &'a Value {
    let catalogue = offered["catalogue"].as_array().unwrap();
    catalogue.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no {name} in {offered}"))
}

#[tokio::test]
async fn folders_may_be_several_for_reading_only_and_for_one_conversation() {
    let desk = Fixture::new().await;
    let agent = AgentId::new();
    let conversation = loci_api::ids::ConversationId::new();
    let notes = desk.notes();
    let deep = notes.join("deep");
    std::fs::create_dir(&deep).unwrap();
    let choose = async |body: Value| desk.call(Method::PUT, "/workbench/client-tools/folders", body).await;
    let folders = json!([{"path": notes}, {"path": deep, "read_only": true}]);
    let chosen = choose(json!({"agent_id": agent, "folders": folders})).await.ok();
    assert_eq!(chosen["folders"][1], json!({"path": deep, "read_only": true}));
    let own = json!({"agent_id": agent, "conversation_id": conversation, "folders": [{"path": deep}]});
    assert_eq!(choose(own).await.ok()["folder"], json!(deep));
    let path = format!("/workbench/client-tools?agent_id={agent}&conversation_id={conversation}");
    assert_eq!(desk.get(&path).await.ok()["folders"].as_array().unwrap().len(), 1);
    assert_eq!(
        desk.get(&format!("/workbench/client-tools?agent_id={agent}")).await.ok()["folder"],
        json!(notes)
    );
    let twice = json!([{"path": notes}, {"path": format!("{}/.", notes.display())}]);
    choose(json!({"agent_id": agent, "folders": twice})).await.refusal(400);
    let many: Vec<_> = (0..11).map(|_| json!({"path": notes})).collect();
    choose(json!({"agent_id": agent, "folders": many})).await.refusal(400);
}

#[tokio::test]
async fn a_tool_is_offered_to_one_agent_and_a_shadow_is_shown() {
    let desk = Fixture::new().await;
    let agent =
        desk.post("/v1/agents/", json!({"name": "Mercury", "model": "rehearsal/rehearsal"})).await.ok();
    let agent = agent["id"].as_str().unwrap();
    let path = "/workbench/client-tools/offered";
    let offered =
        desk.call(Method::PUT, path, json!({"agent_id": agent, "tool": "open_url", "offered": true})).await;
    assert_eq!(names(&offered.ok()["tools"]), ["open_url"]);
    assert_eq!(entry(&offered.ok(), "open_url")["dangerous"], true);
    assert!(entry(&offered.ok(), "read_file")["problem"].as_str().unwrap().contains("folder"));
    let back =
        desk.call(Method::PUT, path, json!({"agent_id": agent, "tool": "open_url", "offered": null})).await;
    assert_eq!(back.ok()["tools"], json!([]));
    desk.call(Method::PUT, path, json!({"agent_id": agent, "tool": "nothing", "offered": true}))
        .await
        .refusal(404);

    // A person's own tool with the name of one of the server's.
    let source = "def conversation_search(query: str) -> str:\n    \"\"\"Searches.\n\n    Args:\n        query: What for.\n    \"\"\"\n    return query\n";
    let own = desk.post("/workbench/own-tools", json!({"source_code": source, "read_only": true})).await.ok();
    assert_eq!(own["name"], "conversation_search");
    let offer = json!({"agent_id": agent, "tool": "conversation_search", "offered": true});
    let offered = desk.call(Method::PUT, path, offer).await.ok();
    assert_eq!(names(&offered["tools"]), ["conversation_search"]);
    let shown = entry(&offered, "conversation_search");
    assert!(shown["shadows"].as_str().unwrap().starts_with("tool-"), "{shown}");
    assert_eq!((&shown["origin"], &shown["id"]), (&json!("own"), &own["id"]));
}

#[tokio::test]
async fn own_tools_are_kept_changed_and_removed() {
    let desk = Fixture::new().await;
    let source = |name: &str| {
        format!(
            "def {name}(a: int) -> int:\n    \"\"\"Doubles.\n\n    Args:\n        a: A number.\n    \"\"\"\n    return 2 * a\n"
        )
    };
    let made = desk.post("/workbench/own-tools", json!({"source_code": source("double")})).await.ok();
    let path = format!("/workbench/own-tools/{}", made["id"].as_str().unwrap());
    assert_eq!(made["json_schema"]["parameters"]["required"], json!(["a"]));
    assert_eq!((&made["network"], &made["timeout_seconds"]), (&json!(false), &json!(60)));
    let changed =
        desk.call(Method::PATCH, &path, json!({"source_code": source("twice"), "network": true})).await.ok();
    assert_eq!((&changed["name"], &changed["network"]), (&json!("twice"), &json!(true)));
    assert_eq!(desk.get("/workbench/own-tools").await.ok().as_array().unwrap().len(), 1);
    for (body, status, wanted) in [
        (json!({}), 422, "source_code"),
        (json!({"source_code": "def x(:"}), 400, "syntax error in line 1, column 6"),
        (json!({"source_code": source("read_file")}), 409, "of Loci's own"),
        (json!({"source_code": source("twice")}), 409, "already taken"),
        (json!({"source_code": source("y"), "timeout_seconds": 0}), 400, "1 to 600"),
        (json!({"source_code": source("y"), "colour": 1}), 422, "colour"),
    ] {
        let problem = desk.post("/workbench/own-tools", body.clone()).await.refusal(status);
        assert!(problem.contains(wanted), "{body}: {problem}");
    }
    let agent = AgentId::new();
    let offer = json!({"agent_id": agent, "tool": "twice", "offered": true});
    desk.call(Method::PUT, "/workbench/client-tools/offered", offer).await.ok();
    let chosen = |tool: &str| format!("/workbench/client-tools/offered?tool={tool}");
    let to_it = json!([{"agent_id": agent, "offered": true}]);
    assert_eq!(desk.get(&chosen("twice")).await.ok(), to_it);
    // Under another name it is the same tool, and stays with the agents it was offered to.
    desk.call(Method::PATCH, &path, json!({"source_code": source("again")})).await.ok();
    assert_eq!(desk.get(&chosen("twice")).await.ok(), json!([]));
    assert_eq!(desk.get(&chosen("again")).await.ok(), to_it);
    desk.call(Method::DELETE, &path, json!({})).await;
    desk.get(&path).await.refusal(404);
    // Another tool of the name is another tool: nobody has it unasked.
    desk.post("/workbench/own-tools", json!({"source_code": source("again")})).await.ok();
    assert_eq!(desk.get(&chosen("again")).await.ok(), json!([]));
    desk.call(Method::DELETE, &path, json!({})).await.refusal(404);
}

#[tokio::test]
async fn a_source_says_what_the_model_would_be_told() {
    let desk = Fixture::new().await;
    let derive = |code: &str| json!({"source_code": code, "source_type": "python"});
    let told = desk
        .post(
            "/workbench/tools/schema",
            derive("def f(a: int):\n    \"\"\"Does.\n\n    Args:\n        a: A number.\n    \"\"\"\n"),
        )
        .await
        .ok();
    assert_eq!((&told["name"], &told["description"]), (&json!("f"), &json!("Does.")));
    assert_eq!(told["parameters"]["required"], json!(["a"]));
    let problem = desk.post("/workbench/tools/schema", derive("def f(")).await.refusal(400);
    assert!(problem.contains("line 1"), "{problem}");
}

#[tokio::test]
async fn an_agent_is_named_properly() {
    let desk = Fixture::new().await;
    desk.get("/workbench/client-tools?agent_id=agent-1").await.refusal(422);
    desk.call(Method::PUT, "/workbench/client-tools/folder", json!({"agent_id": "../x", "folder": null}))
        .await
        .refusal(422);
}

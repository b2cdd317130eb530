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
    assert!(entry(&offered.ok(), "read_file")["problem"]["message"].as_str().unwrap().contains("folder"));
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
async fn an_own_tool_has_variables_whose_secrets_are_never_shown() {
    let desk = Fixture::new().await;
    let made = desk
        .post("/workbench/own-tools", json!({"source_code": "def a() -> None:\n    \"\"\"A.\"\"\"\n"}))
        .await;
    let made = made.ok();
    assert_eq!((&made["env"], &made["secret_names"]), (&json!({}), &json!([])));
    let id = made["id"].as_str().unwrap();
    let path = format!("/workbench/own-tools/{id}");
    let put = async |body: Value| desk.call(Method::PUT, &format!("{path}/variables"), body).await;
    let kept = async |name: &str| {
        let secrets = desk.desk.app().secrets();
        let value = secrets.get(&loci_server::secrets::of_own_tool(id, name)).await.unwrap();
        value.map(|value| secrecy::ExposeSecret::expose_secret(&value).to_owned())
    };

    let shown = put(json!({"env": {"PLAIN": "p"}, "secrets": {"KEY": "s3cret", "OLD": "0ld"}})).await;
    assert_eq!(shown.ok()["env"], json!({"PLAIN": "p"}));
    assert_eq!(shown.ok()["secret_names"], json!(["KEY", "OLD"]));
    assert_eq!(kept("KEY").await.as_deref(), Some("s3cret"));
    for (body, wanted) in [
        (json!({"secrets": {"OTHER": null}}), "no value to keep"),
        (json!({"env": {"KEY": "v"}, "secrets": {"KEY": null}}), "no secret"),
        (json!({"env": {"A=B": "v"}}), "1 to 255 bytes"),
        (json!({"secrets": {"": "v"}}), "1 to 255 bytes"),
        (json!({"colour": {}}), "colour"),
    ] {
        let problem = put(body.clone()).await.refusal(422);
        assert!(problem.contains(wanted), "{body}: {problem}");
    }
    assert_eq!(
        desk.get(&path).await.ok()["secret_names"],
        json!(["KEY", "OLD"]),
        "a refusal changes nothing"
    );
    put(json!({"secrets": {"KEY": null}})).await.ok();
    assert_eq!((kept("KEY").await.as_deref(), kept("OLD").await), (Some("s3cret"), None));
    // A change of the source leaves them.
    let source = json!({"source_code": "def b() -> None:\n    \"\"\"B.\"\"\"\n"});
    let changed = desk.call(Method::PATCH, &path, source).await;
    assert_eq!(changed.ok()["secret_names"], json!(["KEY"]));
    for shown in
        [changed, desk.get("/workbench/own-tools").await, desk.get(&format!("{path}/versions")).await]
    {
        assert!(!shown.text.contains("s3cret"), "{}", shown.text);
    }
    // A value somebody took out of the keyring is asked for anew.
    desk.desk.app().secrets().delete(&loci_server::secrets::of_own_tool(id, "KEY")).await.unwrap();
    let trial = json!({"source_code": "def b() -> None:\n    pass\n", "tool_id": id});
    let problem = desk.post("/workbench/tools/run", trial).await.refusal(400);
    assert!(problem.contains("its secret KEY is not known here; enter it again"), "{problem}");
    put(json!({"secrets": {"KEY": "another"}})).await.ok();
    assert_eq!(kept("KEY").await.as_deref(), Some("another"));
    desk.call(Method::DELETE, &path, json!({})).await;
    assert_eq!(kept("KEY").await, None, "deleted with the tool");
    put(json!({})).await.refusal(404);
}

#[tokio::test]
async fn an_own_tool_has_a_past_and_a_way_back() {
    let desk = Fixture::new().await;
    let source = |name: &str| format!("def {name}() -> None:\n    \"\"\"Does.\"\"\"\n");
    let first = json!({"source_code": source("one"), "read_only": true});
    let made = desk.post("/workbench/own-tools", first).await.ok();
    let path = format!("/workbench/own-tools/{}", made["id"].as_str().unwrap());
    let agent = AgentId::new();
    let offer = json!({"agent_id": agent, "tool": "one", "offered": true});
    desk.call(Method::PUT, "/workbench/client-tools/offered", offer).await.ok();
    let second = json!({"source_code": source("two"), "read_only": false});
    desk.call(Method::PATCH, &path, second).await.ok();
    // What is granted makes no version.
    desk.call(Method::PATCH, &path, json!({"network": true})).await.ok();
    let versions = async || desk.get(&format!("{path}/versions")).await.ok();
    let numbers = |versions: &Value| -> Vec<(i64, String)> {
        let number =
            |one: &Value| (one["version"].as_i64().unwrap(), one["name"].as_str().unwrap().to_owned());
        versions.as_array().unwrap().iter().map(number).collect()
    };
    assert_eq!(numbers(&versions().await), [(2, "two".to_owned()), (1, "one".to_owned())]);
    assert_eq!(versions().await[1]["source_code"], source("one"));
    let older = desk.get(&format!("{path}/versions?before=2&limit=5")).await.ok();
    assert_eq!(numbers(&older), [(1, "one".to_owned())]);

    let restore =
        async |version: &str| desk.post(&format!("{path}/versions/{version}/restore"), json!({})).await;
    // Somebody else has the name by now.
    let other = desk.post("/workbench/own-tools", json!({"source_code": source("one")})).await.ok();
    restore("1").await.refusal(409);
    assert_eq!(numbers(&versions().await).len(), 2, "a refused restore changes nothing");
    let other = format!("/workbench/own-tools/{}", other["id"].as_str().unwrap());
    desk.call(Method::DELETE, &other, json!({})).await;
    let restored = restore("1").await.ok();
    assert_eq!(
        (&restored["name"], &restored["read_only"], &restored["network"]),
        (&json!("one"), &json!(true), &json!(true))
    );
    assert_eq!(numbers(&versions().await)[0], (3, "one".to_owned()));
    let offered = desk.get("/workbench/client-tools/offered?tool=one").await.ok();
    assert_eq!(offered, json!([{"agent_id": agent, "offered": true}]), "its agents go with it");
    restore("9").await.refusal(404);
    desk.get(&format!("{path}/versions?limit=0")).await.refusal(422);
    desk.get("/workbench/own-tools/client-tool-none/versions").await.refusal(404);
    desk.get("/workbench/own-tools/client-tool-none/runs").await.refusal(404);
    assert_eq!(desk.get(&format!("{path}/runs")).await.ok(), json!([]));
    let trial = json!({"source_code": source("one"), "tool_id": "client-tool-none"});
    desk.post("/workbench/tools/run", trial).await.refusal(404);
    let trial = json!({"source_code": source("one"), "tool_id": "nonsense"});
    desk.post("/workbench/tools/run", trial).await.refusal(422);
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

#[tokio::test]
async fn changes_of_an_own_tool_at_the_same_time_all_last_and_bring_nothing_back() {
    let desk = Fixture::new().await;
    let source = "def twice(a: int) -> int:\n    \"\"\"Doubles.\n\n    Args:\n        a: A number.\n    \"\"\"\n    return 2 * a\n";
    let made = desk.post("/workbench/own-tools", json!({"source_code": source})).await.ok();
    assert_eq!(made["memory_mb"], Value::Null);
    let path = format!("/workbench/own-tools/{}", made["id"].as_str().unwrap());
    let change = |body: Value| desk.call(Method::PATCH, &path, body);
    let (first, second, third) = tokio::join!(
        change(json!({"memory_mb": 256})),
        change(json!({"timeout_seconds": 7})),
        change(json!({"source_code": source.replace("2 * a", "a + a")})),
    );
    for changed in [first, second, third] {
        changed.ok();
    }
    let now = desk.get(&path).await.ok();
    assert_eq!((&now["memory_mb"], &now["timeout_seconds"]), (&json!(256), &json!(7)));
    assert!(now["source_code"].as_str().unwrap().contains("a + a"), "{now}");
    for odd in [json!(1), json!(70_000)] {
        change(json!({"memory_mb": odd})).await.refusal(422);
    }
    assert_eq!(change(json!({"network": true})).await.ok()["memory_mb"], 256, "what is left out stays");
    assert_eq!(change(json!({"memory_mb": null})).await.ok()["memory_mb"], Value::Null);

    let removed = desk.call(Method::DELETE, &path, json!({}));
    let (removed, changed) = tokio::join!(removed, change(json!({"memory_mb": 512})));
    assert!(removed.status.is_success() && (changed.status.is_success() || changed.status == 404));
    assert_eq!(desk.get("/workbench/own-tools").await.ok(), json!([]));
}

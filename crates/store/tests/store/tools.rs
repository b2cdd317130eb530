//! Tools and where they are attached.

use loci_api::{
    ids::{AgentId, ToolId},
    resource::{Requirement, ToolType},
};
use loci_store::{
    Page, StoreError,
    table::{
        client_tool::{self, OwnTool},
        client_tool_version,
        tool::{self, ToolFilter},
        tool_settings::{self, ToolSettings},
        tool_test_run::{self, ToolTestRun, Tried},
        tool_version,
    },
};
use serde_json::json;

use crate::fixture::{self, NOW, check, later};

#[tokio::test]
async fn a_tool_comes_back_as_it_was_written() {
    check(|conn| {
        let mut row = fixture::tool("fetch");
        row.description = Some("Fetches.".to_owned());
        row.json_schema = json!({"name": "fetch", "parameters": {"z": 1, "a": 2}}).as_object().cloned();
        row.args_json_schema = json!({"type": "object"}).as_object().cloned();
        row.pip_requirements = Some(vec![Requirement { name: "requests".to_owned(), version: None }]);
        row.npm_requirements = Some(Vec::new());
        row.enable_parallel_execution = Some(false);
        row.metadata_ = json!({"k": null}).as_object().cloned();
        tool::insert(conn, &row, NOW).unwrap();
        assert_eq!(tool::get(conn, &row.id).unwrap(), Some(row.clone()));
        let keys: Vec<_> =
            row.json_schema.as_ref().unwrap()["parameters"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["z", "a"], "the order of a schema's keys is kept");

        row.name = Some("get".to_owned());
        row.return_char_limit = 1;
        tool::update(conn, &row, later(1)).unwrap();
        assert_eq!(tool::get_by_name(conn, "get").unwrap(), Some(row.clone()));
        assert!(tool::delete(conn, &row.id).unwrap());
        assert!(!tool::delete(conn, &row.id).unwrap());
        assert!(matches!(tool::update(conn, &row, NOW), Err(StoreError::NotFound { what: "tool", .. })));
    })
    .await;
}

#[tokio::test]
async fn a_name_is_taken_once_and_upsert_keeps_the_id() {
    check(|conn| {
        let first = fixture::tool("fetch");
        tool::insert(conn, &first, NOW).unwrap();
        let second = fixture::tool("fetch");
        let taken = tool::insert(conn, &second, NOW).unwrap_err();
        assert!(
            matches!(&taken, StoreError::Duplicate { what: "tool name", value } if value == "fetch"),
            "{taken:?}"
        );
        let mut other = fixture::tool("other");
        tool::insert(conn, &other, NOW).unwrap();
        other.name = Some("fetch".to_owned());
        assert!(matches!(tool::update(conn, &other, NOW), Err(StoreError::Duplicate { .. })));

        let mut newer = second;
        newer.description = Some("newer".to_owned());
        let kept = tool::upsert_by_name(conn, &newer, later(1)).unwrap();
        assert_eq!(kept.id, first.id);
        assert_eq!(tool::get(conn, &first.id).unwrap(), Some(kept));
        let fresh = fixture::tool("fresh");
        assert_eq!(tool::upsert_by_name(conn, &fresh, later(1)).unwrap(), fresh);
    })
    .await;
}

#[tokio::test]
async fn attached_tools_keep_their_order() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let tools: Vec<_> = ["c", "a", "b"].map(fixture::tool).into();
        for row in &tools {
            tool::insert(conn, row, NOW).unwrap();
            tool::attach(conn, &agent, &row.id).unwrap();
            tool::attach(conn, &agent, &row.id).unwrap();
        }
        let names = || {
            let tools = tool::list_for_agent(conn, &agent).unwrap();
            tools.into_iter().filter_map(|tool| tool.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(), "c a b");
        assert!(tool::detach(conn, &agent, &tools[0].id).unwrap());
        assert!(!tool::detach(conn, &agent, &tools[0].id).unwrap());
        tool::attach(conn, &agent, &tools[0].id).unwrap();
        assert_eq!(names(), "a b c");
        assert_eq!(tool::page_for_agent(conn, &agent, &Page::newest(2)).unwrap().len(), 2);
        assert_eq!(tool::agent_ids(conn, &tools[0].id).unwrap(), std::slice::from_ref(&agent));
        tool::set_for_agent(conn, &agent, &[tools[2].id.clone(), tools[2].id.clone()]).unwrap();
        assert_eq!(names(), "b");
        tool::delete(conn, &tools[2].id).unwrap();
        assert_eq!(names(), "");
        for (agent, id) in [(agent, ToolId::new()), (AgentId::new(), tools[0].id.clone())] {
            assert!(matches!(tool::attach(conn, &agent, &id), Err(StoreError::MissingReference)));
        }
    })
    .await;
}

#[tokio::test]
async fn filters_find_what_they_say() {
    check(|conn| {
        let mut ids = Vec::new();
        for (name, kind) in [
            ("send", ToolType::Custom),
            ("memory_insert", ToolType::LettaCore),
            ("web_search", ToolType::LettaBuiltin),
        ] {
            let mut row = fixture::tool(name);
            row.tool_type = kind;
            tool::insert(conn, &row, NOW).unwrap();
            ids.push(row.id);
        }
        let none = ToolFilter::default;
        let table = [
            (none(), "send memory_insert web_search"),
            (ToolFilter { name: Some("send".to_owned()), ..none() }, "send"),
            (ToolFilter { names: vec!["send".to_owned(), "x".to_owned()], ..none() }, "send"),
            (ToolFilter { ids: ids[1..].to_vec(), ..none() }, "memory_insert web_search"),
            (
                ToolFilter { tool_types: vec![ToolType::LettaCore, ToolType::Custom], ..none() },
                "send memory_insert",
            ),
            (ToolFilter { exclude_tool_types: vec![ToolType::Custom], ..none() }, "memory_insert web_search"),
            (ToolFilter { search: Some("_SEA".to_owned()), ..none() }, "web_search"),
        ];
        for (filter, expected) in table {
            let found = tool::list(conn, &filter, &Page::oldest(50)).unwrap();
            let names: Vec<_> = found.iter().filter_map(|tool| tool.name.as_deref()).collect();
            assert_eq!(names.join(" "), expected, "{filter:?}");
            assert_eq!(tool::count(conn, &filter).unwrap(), i64::try_from(names.len()).unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn every_change_of_a_tool_is_kept_and_nothing_else() {
    check(|conn| {
        let mut row = fixture::tool("fetch");
        row.tool_type = ToolType::Custom;
        row.source_code = Some("one".to_owned());
        row.last_updated_by_id = Some("user-1".to_owned());
        tool::insert(conn, &row, NOW).unwrap();
        tool::update(conn, &row, later(1)).unwrap();
        row.source_code = Some("two".to_owned());
        row.tags = vec!["t".to_owned()];
        tool::update(conn, &row, later(2)).unwrap();
        let versions = tool_version::list(conn, &row.id, None, 10).unwrap();
        let seen: Vec<_> =
            versions.iter().map(|one| (one.version, one.content.source_code.as_deref(), one.at)).collect();
        assert_eq!(seen, [(2, Some("two"), later(2)), (1, Some("one"), NOW)]);
        assert_eq!(versions[0].changed_by.as_deref(), Some("user-1"));
        assert_eq!(tool_version::list(conn, &row.id, Some(2), 10).unwrap().len(), 1);

        let first = tool_version::get(conn, &row.id, 1).unwrap().unwrap();
        let mut back = row.clone();
        first.content.clone().put_into(&mut back);
        tool::update(conn, &back, later(3)).unwrap();
        let newest = tool_version::list(conn, &row.id, None, 1).unwrap().pop().unwrap();
        assert_eq!((newest.version, &newest.content), (3, &first.content));

        let mut builtin = fixture::tool("send_message");
        builtin.tool_type = ToolType::LettaCore;
        tool::insert(conn, &builtin, NOW).unwrap();
        assert!(tool_version::list(conn, &builtin.id, None, 10).unwrap().is_empty());
        tool::delete(conn, &row.id).unwrap();
        assert!(tool_version::list(conn, &row.id, None, 10).unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn settings_and_test_runs_belong_to_a_tool() {
    check(|conn| {
        let row = fixture::tool("fetch");
        tool::insert(conn, &row, NOW).unwrap();
        assert_eq!(tool_settings::get(conn, &row.id).unwrap(), ToolSettings::default());
        let wanted = ToolSettings {
            network: true,
            timeout_seconds: Some(5),
            memory_mb: None,
            env: [("A".to_owned(), "1".to_owned())].into(),
            secret_names: vec!["KEY".to_owned()],
        };
        tool_settings::set(conn, &row.id, &ToolSettings::default(), NOW).unwrap();
        tool_settings::set(conn, &row.id, &wanted, later(1)).unwrap();
        assert_eq!(tool_settings::get(conn, &row.id).unwrap(), wanted);
        assert!(tool_settings::set(conn, &ToolId::new(), &wanted, NOW).is_err());

        let mut run = ToolTestRun {
            tried: Tried::Tool(row.id.clone()),
            name: Some("fetch".to_owned()),
            arguments: json!({"a": 1}).as_object().cloned().unwrap(),
            success: true,
            result: "ok".to_owned(),
            confinement: json!({"seccomp": true}),
            duration_ms: 12,
            at: NOW,
        };
        for count in 0..105 {
            run.duration_ms = count;
            tool_test_run::insert(conn, &run).unwrap();
        }
        let kept = tool_test_run::list(conn, &Tried::Tool(row.id.clone()), 1_000).unwrap();
        assert_eq!((kept.len(), kept[0].duration_ms, kept[99].duration_ms), (100, 104, 5));
        run.tried = Tried::New;
        run.success = false;
        tool_test_run::insert(conn, &run).unwrap();
        assert_eq!(tool_test_run::list(conn, &Tried::New, 10).unwrap(), [run]);
        tool::delete(conn, &row.id).unwrap();
        assert!(tool_test_run::list(conn, &Tried::Tool(row.id.clone()), 10).unwrap().is_empty());
    })
    .await;
}

fn own(name: &str) -> OwnTool {
    OwnTool {
        id: format!("client-tool-{name}"),
        name: name.to_owned(),
        source_type: "python".to_owned(),
        source_code: "one".to_owned(),
        json_schema: json!({"name": name}),
        pip_requirements: vec![Requirement { name: "requests".to_owned(), version: None }],
        npm_requirements: Vec::new(),
        read_only: true,
        network: false,
        timeout_seconds: 60,
        memory_mb: Some(256),
        env: [("A".to_owned(), "1".to_owned())].into(),
        secret_names: Vec::new(),
        created_at: NOW,
        updated_at: NOW,
    }
}

#[tokio::test]
async fn a_tool_of_this_machine_has_variables_and_a_past() {
    check(|conn| {
        let mut row = own("tidy");
        client_tool::upsert(conn, &row).unwrap();
        assert_eq!(client_tool::get(conn, &row.id).unwrap(), Some(row.clone()));

        let env = [("B".to_owned(), "2".to_owned())].into();
        let secrets = ["KEY".to_owned()];
        assert!(client_tool::set_variables(conn, &row.id, &env, &secrets, later(1)).unwrap());
        assert!(!client_tool::set_variables(conn, "client-tool-none", &env, &secrets, later(1)).unwrap());

        // What is granted is no part of a version, and a change of the source leaves the variables.
        row.network = true;
        row.updated_at = later(2);
        client_tool::upsert(conn, &row).unwrap();
        row.source_code = "two".to_owned();
        row.read_only = false;
        row.updated_at = later(3);
        client_tool::upsert(conn, &row).unwrap();
        let kept = client_tool::get(conn, &row.id).unwrap().unwrap();
        assert_eq!((&kept.env, kept.secret_names.as_slice()), (&env, secrets.as_slice()));
        let versions = client_tool_version::list(conn, &row.id, None, 10).unwrap();
        let seen: Vec<_> = versions
            .iter()
            .map(|one| (one.version, one.content.source_code.as_str(), one.content.read_only, one.at))
            .collect();
        assert_eq!(seen, [(2, "two", false, later(3)), (1, "one", true, NOW)]);
        assert_eq!(client_tool_version::list(conn, &row.id, Some(2), 10).unwrap().len(), 1);

        let first = client_tool_version::get(conn, &row.id, 1).unwrap().unwrap();
        let mut back = kept;
        first.content.clone().put_into(&mut back);
        assert!(back.network, "a grant stays");
        client_tool::upsert(conn, &back).unwrap();
        let newest = client_tool_version::list(conn, &row.id, None, 1).unwrap().pop().unwrap();
        assert_eq!((newest.version, &newest.content), (3, &first.content));

        let run = ToolTestRun {
            tried: Tried::Own(row.id.clone()),
            name: Some("tidy".to_owned()),
            arguments: serde_json::Map::new(),
            success: true,
            result: "ok".to_owned(),
            confinement: json!({}),
            duration_ms: 1,
            at: NOW,
        };
        tool_test_run::insert(conn, &run).unwrap();
        assert_eq!(tool_test_run::list(conn, &run.tried, 10).unwrap(), std::slice::from_ref(&run));
        assert!(tool_test_run::list(conn, &Tried::New, 10).unwrap().is_empty());

        client_tool::delete(conn, &row.id).unwrap();
        assert!(client_tool_version::list(conn, &row.id, None, 10).unwrap().is_empty());
        assert!(tool_test_run::list(conn, &run.tried, 10).unwrap().is_empty());
        assert!(tool_test_run::insert(conn, &run).is_err(), "without such a tool");
    })
    .await;
}

//! A database in a temp folder and the rows tests begin with.

use loci_api::{
    ids::{AgentId, BlockId, MessageId, RunId, StepId, ToolId},
    message::{ContentPart, Message, Role},
    resource::{Block, Run, RunStatus, Step, StepStatus, Tool, ToolType},
    time::Timestamp,
};
use loci_store::{
    Connection, Store, Thread,
    table::{
        agent::{self, AgentRow},
        block::{Actor, Change},
    },
};

/// 2025-11-20T19:04:02Z.
pub const NOW: Timestamp = Timestamp(1_763_665_442_000_000);

pub fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

/// Runs a test on a fresh database, inside one write.
pub async fn check<T: Send + 'static>(test: impl FnOnce(&Connection) -> T + Send + 'static) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("loci.db")).await.unwrap();
    store.write(move |tx| Ok(test(tx))).await.unwrap()
}

pub fn agent(name: &str) -> AgentRow {
    AgentRow {
        id: AgentId::new(),
        name: name.to_owned(),
        agent_type: "letta_v1_agent".to_owned(),
        description: None,
        system: "Be kind.".to_owned(),
        model: Some("openai/gpt-4.1".to_owned()),
        embedding: None,
        model_settings: None,
        llm_config: None,
        embedding_config: None,
        compaction_settings: None,
        response_format: None,
        metadata: None,
        tool_rules: Vec::new(),
        context_window_limit: Some(128_000),
        timezone: "UTC".to_owned(),
        message_buffer_autoclear: false,
        enable_sleeptime: None,
        max_files_open: None,
        per_file_view_window_char_limit: None,
        hidden: None,
        tags: Vec::new(),
        project_id: None,
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        entity_id: None,
        created_by_id: None,
        last_updated_by_id: None,
        created_at: NOW,
        updated_at: NOW,
        last_run_completion: None,
        last_run_duration_ms: None,
        last_stop_reason: None,
    }
}

/// An agent that is in the database.
pub fn stored_agent(conn: &Connection, name: &str) -> AgentId {
    let row = agent(name);
    agent::insert(conn, &row).unwrap();
    row.id
}

pub fn block(label: &str, value: &str) -> Block {
    Block {
        limit: 100,
        metadata: None,
        preserve_on_migration: None,
        ..Block::new(BlockId::new(), label, value)
    }
}

pub fn by_api() -> Change {
    Change::by(Actor::Api, NOW)
}

pub fn tool(name: &str) -> Tool {
    Tool {
        id: ToolId::new(),
        tool_type: ToolType::Custom,
        description: None,
        source_type: Some("python".to_owned()),
        name: Some(name.to_owned()),
        tags: vec!["a".to_owned()],
        source_code: Some("def f():\n    pass\u{0}".to_owned()),
        json_schema: None,
        args_json_schema: None,
        return_char_limit: 50_000,
        pip_requirements: None,
        npm_requirements: None,
        default_requires_approval: Some(true),
        enable_parallel_execution: None,
        created_by_id: None,
        last_updated_by_id: None,
        metadata_: None,
        project_id: None,
    }
}

pub fn message(thread: &Thread, role: Role, text: &str) -> Message {
    Message {
        conversation_id: thread.conversation_id.clone(),
        content: vec![ContentPart::text(text)],
        ..Message::new(MessageId::new(), thread.agent_id.clone(), role, NOW)
    }
}

pub fn run(thread: &Thread) -> Run {
    Run {
        id: RunId::new(),
        status: RunStatus::Running,
        created_at: NOW,
        completed_at: None,
        agent_id: thread.agent_id.clone(),
        conversation_id: thread.conversation_id.clone(),
        base_template_id: None,
        background: Some(false),
        metadata: None,
        request_config: None,
        stop_reason: None,
        callback_url: None,
        callback_sent_at: None,
        callback_status_code: None,
        callback_error: None,
        ttft_ns: None,
        total_duration_ns: None,
    }
}

pub fn step(run: &Run) -> Step {
    Step {
        id: StepId::new(),
        origin: None,
        provider_id: None,
        run_id: Some(run.id.clone()),
        agent_id: Some(run.agent_id.clone()),
        provider_name: Some("openai".to_owned()),
        provider_category: Some("base".to_owned()),
        model: Some("gpt-4.1".to_owned()),
        model_handle: Some("openai/gpt-4.1".to_owned()),
        model_endpoint: None,
        context_window_limit: Some(128_000),
        completion_tokens: None,
        prompt_tokens: None,
        total_tokens: None,
        cached_input_tokens: None,
        cache_write_tokens: None,
        reasoning_tokens: None,
        completion_tokens_details: None,
        prompt_tokens_details: None,
        stop_reason: None,
        tags: Vec::new(),
        tid: None,
        trace_id: None,
        request_id: None,
        messages: Vec::new(),
        feedback: None,
        project_id: None,
        error_type: None,
        error_data: None,
        status: Some(StepStatus::Pending),
    }
}

//! A person's own tool as the sandbox is asked to run it: its source, its packages, what it is granted here, and the
//! agent it is shown.

use std::{collections::BTreeMap, fmt, time::Duration};

use loci_api::{
    ids::{BlockId, ToolId},
    resource::Tool,
};
use loci_store::{
    Connection, StoreError, Thread,
    table::{
        agent, block,
        tool_settings::{self, ToolSettings},
    },
};
use loci_tools::{sandbox::RunRequest, source::SourceType};
use serde_json::{Map, Value};

use crate::{
    App,
    agents::state::{self, Include},
    confined::bytes,
    secrets::{self, of_tool},
};

/// What a tool may do on this machine.
#[derive(Clone, Default)]
pub struct Grants {
    pub network: bool,
    pub timeout: Option<Duration>,
    pub memory_bytes: Option<u64>,
    /// Its variables, secrets among them.
    pub env: BTreeMap<String, String>,
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, timeout, memory_bytes, env } = self;
        let mut shown = f.debug_struct("Grants");
        shown.field("network", network).field("timeout", timeout).field("memory_bytes", memory_bytes);
        shown.field("env", &env.keys()).finish()
    }
}

impl Grants {
    /// Those of a stored tool.
    ///
    /// # Errors
    /// A sentence: a secret cannot be had, or the store fails.
    pub async fn of(app: &App, id: &ToolId) -> Result<Self, String> {
        let of = id.clone();
        let read = app.store().read(move |conn| tool_settings::get(conn, &of)).await;
        let ToolSettings { network, timeout_seconds, memory_mb, mut env, secret_names } =
            read.map_err(|error| format!("its settings cannot be read: {error}"))?;
        env.extend(secrets::values(&*app.secrets(), &secret_names, |name| of_tool(id, name)).await?);
        Ok(Self {
            network,
            timeout: timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            memory_bytes: memory_mb.map(bytes),
            env,
        })
    }
}

/// The request for one call. The tool's own variables win over `env`, the agent's.
///
/// # Errors
/// A sentence for the model: why it cannot be run.
pub async fn request(
    app: &App,
    tool: &Tool,
    arguments: Map<String, Value>,
    mut env: BTreeMap<String, String>,
) -> Result<RunRequest, String> {
    let name = tool.name.clone().unwrap_or_default();
    let source = tool.source_code.clone().ok_or("the tool has no source code.")?;
    let source_type =
        SourceType::parse(tool.source_type.as_deref()).map_err(|unknown| unknown.to_string())?;
    let grants = Grants::of(app, &tool.id).await?;
    env.extend(grants.env);
    let defined = ["def ", "function "].iter().any(|word| source.contains(&format!("{word}{name}")));
    Ok(RunRequest {
        tool_id: tool.id.to_string(),
        function: defined.then_some(name),
        env,
        network: grants.network,
        timeout: grants.timeout,
        memory_bytes: grants.memory_bytes,
        pip_requirements: tool.pip_requirements.clone().unwrap_or_default(),
        npm_requirements: tool.npm_requirements.clone().unwrap_or_default(),
        ..RunRequest::new(source_type, source, arguments)
    })
}

/// An agent as a function with a parameter `agent_state` is shown it.
#[derive(Debug, Default)]
pub struct Seen {
    /// As JSON; `None` without such an agent.
    pub state: Option<Value>,
    /// Of its blocks, at that moment.
    pub versions: BTreeMap<BlockId, i64>,
}

impl Seen {
    /// Whether the source may ask for it at all.
    #[must_use]
    pub fn wanted(source: &str) -> bool {
        source.contains("agent_state")
    }

    /// As it is now, with the blocks of this thread.
    ///
    /// # Errors
    /// If the store fails.
    pub fn read(conn: &Connection, thread: &Thread) -> Result<Self, StoreError> {
        let Some(row) = agent::get(conn, &thread.agent_id)? else { return Ok(Self::default()) };
        let include = Include { blocks: true, tags: true, ..Include::default() };
        let mut state = state::state(conn, row, include)?;
        let (mut versions, mut blocks) = (BTreeMap::new(), Vec::new());
        for (block, version) in block::list_for_thread(conn, thread)? {
            versions.insert(block.id.clone(), version);
            blocks.push(block);
        }
        state.memory.blocks.clone_from(&blocks);
        state.blocks = blocks;
        Ok(Self { state: serde_json::to_value(state).ok(), versions })
    }
}

//! A person's own tool as the sandbox is asked to run it: its source, its packages, and what it is granted here.

use std::{collections::BTreeMap, time::Duration};

use loci_api::{ids::ToolId, resource::Tool};
use loci_store::table::tool_settings::{self, ToolSettings};
use loci_tools::{sandbox::RunRequest, source::SourceType};
use serde_json::{Map, Value};

use crate::{
    App,
    secrets::{self, of_tool},
};

/// What a tool may do on this machine.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    pub network: bool,
    pub timeout: Option<Duration>,
    pub memory_bytes: Option<u64>,
    /// Its variables, secrets among them.
    pub env: BTreeMap<String, String>,
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
            memory_bytes: memory_mb.map(|megabytes| u64::from(megabytes) << 20),
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

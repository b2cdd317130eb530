//! Small makers of test values.
#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::{ids::BlockId, resource::Block, rules::ToolRule};
use serde_json::{Value, json};

/// A block with this label and value; its id follows from the label.
pub(crate) fn block(label: &str, value: &str) -> Block {
    Block {
        id: BlockId::from_trusted(format!("block-{label}")),
        value: value.to_owned(),
        limit: loci_api::resource::DEFAULT_BLOCK_LIMIT,
        label: Some(label.to_owned()),
        description: None,
        read_only: false,
        metadata: None,
        hidden: None,
        tags: None,
        project_id: None,
        template_name: None,
        is_template: false,
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        entity_id: None,
        preserve_on_migration: None,
        created_by_id: None,
        last_updated_by_id: None,
    }
}

/// A rule as the API would send it.
pub(crate) fn rule(tool: &str, rest: Value) -> ToolRule {
    let mut object = rest;
    object["tool_name"] = json!(tool);
    serde_json::from_value(object).unwrap()
}

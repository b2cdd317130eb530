//! What a tool is: built-ins, schema from source, confined execution

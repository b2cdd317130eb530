//! The local backend: routes, runs, streaming; where engine, store, llm and tools meet

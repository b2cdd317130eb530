//! A scripted model server that speaks the providers' real wire formats over HTTP, can pace, hold, cut and
//! corrupt its streams, and remembers what it was asked. For tests and benchmarks only; it must not use any of
//! our own crates, so that a mistake in them cannot hide in it. Begin with [`model::FakeModel`].

mod anthropic;
mod format;
mod google;
mod lists;
pub mod model;
mod ollama;
mod openai;
pub mod reply;
mod responses;

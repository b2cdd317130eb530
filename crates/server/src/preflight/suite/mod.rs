//! The suite: for each check the question, what a good answer is, and what to do about a bad one.

pub(super) mod replies;
pub(super) mod tools;

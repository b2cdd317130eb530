//! Runs a turn: feeds the machine and carries out its effects.

use crate::ports::{Ports, Turn, TurnOutcome};

/// Runs one request's turn to its end.
pub async fn drive<P: Ports>(_turn: Turn, _ports: &P) -> TurnOutcome {
    unreachable!("written by the engine's author")
}

//! Rules about calls: what a person decides beforehand. Pure values and one pure function, [`decide`]; where rules
//! are kept and what comes of a verdict is `approvals`.
//!
//! Deny comes before ask, ask before allow, and without a rule one asks. What goes wrong in a rule never allows.

mod call;
mod decide;
mod pattern;
mod rule;
mod text;

pub use call::{Call, Facts, Subject, SubjectKind};
pub use decide::{Verdict, decide, holds};
pub use pattern::{Pattern, PatternError};
pub use rule::{Condition, Matches, Rule, RuleProblem, Scope, StoredRule};
pub use text::{Draft, DraftScope, Names, ParseError, parse, sentence, text};

//! Which messages go and which stay.

use loci_api::message::{Message, Role};

use super::{Settings, estimate};

/// Where the cut is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The oldest share goes; the newest messages stay.
    Sliding,
    /// Everything goes but what waits for an answer.
    All,
}

/// What goes and what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The first message that stays; those from 1 up to it go. May be the length: then none stays.
    pub kept_from: usize,
}

/// Which messages to take away; `None` if there is nothing to take, or a sliding window cannot make enough room.
///
/// A cut never parts calls from their returns. A pending approval request stays, with the assistant message it
/// belongs to, and so do messages the model has not answered yet.
#[must_use]
pub fn plan(context: &[Message], cut: Cut, settings: &Settings, context_window: u32) -> Option<Plan> {
    let kept_from = match cut {
        Cut::Sliding => slide(context, settings.percentage, context_window)?,
        Cut::All => waiting_from(context),
    };
    let takes = context.get(1..kept_from)?;
    // A summary that only replaces the summary before it makes no room.
    takes.iter().any(|message| message.role != Role::Summary).then_some(Plan { kept_from })
}

/// Where begins what nobody has answered: a trailing approval request, trailing messages to the agent, or the end.
fn waiting_from(context: &[Message]) -> usize {
    let len = context.len();
    match context {
        [.., before, request] if request.is_approval_request() && belongs(before, request) => len - 2,
        [.., request] if request.is_approval_request() => len - 1,
        _ => {
            let unanswered = |message: &&Message| matches!(message.role, Role::User | Role::System);
            let waiting = context.iter().skip(1).rev().take_while(unanswered).count();
            len - waiting
        }
    }
}

fn belongs(assistant: &Message, request: &Message) -> bool {
    assistant.role == Role::Assistant && (assistant.id.predecessor() == request.id)
}

fn slide(context: &[Message], percentage: f64, context_window: u32) -> Option<usize> {
    let total = context.len();
    let last_cut = waiting_from(context).min(total.saturating_sub(1));
    let percentage = percentage.clamp(0.0, 1.0);
    let room = f64::from(context_window) * (1.0 - percentage);
    let begins = |at: usize| {
        let message = &context[at];
        match message.role {
            Role::Assistant => true,
            Role::Approval => message.is_approval_request() && !belongs(&context[at - 1], message),
            Role::System | Role::User | Role::Tool | Role::Summary => false,
        }
    };
    // Tokens from each message on, so that a long history is measured once.
    let mut kept = vec![0; total + 1];
    for at in (0..total).rev() {
        kept[at] = kept[at + 1] + estimate(&context[at..=at]);
    }
    let system = estimate(&context[..total.min(1)]);
    // Tenths, so that adding up does not drift.
    for tenth in 1..=10_u32 {
        let share = percentage + f64::from(tenth) / 10.0;
        if share >= 1.0 {
            return None;
        }
        let aim = (share * total as f64).round() as usize;
        // Two messages at least: one that only gives way to its summary makes the context no shorter.
        let cut = (3..=aim.min(last_cut)).rev().find(|at| begins(*at));
        if let Some(cut) = cut
            && ((system + kept[cut]) as f64) < room
        {
            return Some(cut);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use loci_api::message::ContentPart;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{assistant, message, request, tool, user};

    fn long(turns: usize) -> Vec<Message> {
        let mut context = vec![message(Role::System)];
        for _ in 0..turns {
            context.extend([user("please"), assistant("", &["c1"]), tool(&["c1"]), assistant("done", &[])]);
        }
        context
    }

    fn cut(context: &[Message], cut: Cut, window: u32) -> Option<usize> {
        plan(context, cut, &Settings::default(), window).map(|plan| plan.kept_from)
    }

    #[test]
    fn a_sliding_window_keeps_the_newest_from_an_answer_on() {
        let context = long(10);
        assert_eq!(cut(&context, Cut::Sliding, 128_000), Some(16));
        assert_eq!(context[16].role, Role::Assistant);
    }

    #[test]
    fn a_sliding_window_takes_two_messages_at_least() {
        let mut context = vec![message(Role::System)];
        for _ in 0..3 {
            context.extend([user("please"), assistant("done", &[])]);
        }
        assert_eq!(cut(&context, Cut::Sliding, 128_000), Some(4));
        assert_eq!(cut(&context[..3], Cut::Sliding, 128_000), None);
    }

    #[test]
    fn what_waits_for_an_answer_stays() {
        let mut context = long(3);
        context[12].content = vec![ContentPart::text("x".repeat(40_000))];
        assert_eq!(cut(&context, Cut::Sliding, 8_192), None, "the big one is the last");
        assert_eq!(cut(&context, Cut::All, 8_192), Some(13));
        let mut asking = context.clone();
        asking.extend([user("first"), user("second")]);
        assert_eq!(cut(&asking, Cut::All, 8_192), Some(13));
        let first = assistant("", &["free"]);
        let mut waiting = request(&["gated"]);
        waiting.id = first.id.predecessor();
        context.extend([first, waiting]);
        assert_eq!(cut(&context, Cut::All, 8_192), Some(13));
        context.remove(13);
        assert_eq!(cut(&context, Cut::All, 8_192), Some(13));
    }

    #[test]
    fn where_nothing_can_go_there_is_no_plan() {
        for context in [
            vec![],
            vec![message(Role::System)],
            vec![message(Role::System), message(Role::Summary)],
            vec![message(Role::System), message(Role::Summary), user("hi")],
            vec![message(Role::System), user("hi")],
        ] {
            assert_eq!(cut(&context, Cut::All, 8_192), None, "{}", context.len());
            assert_eq!(cut(&context, Cut::Sliding, 8_192), None, "{}", context.len());
        }
    }

    #[test]
    fn ten_thousand_messages_are_planned_at_once() {
        let context = long(2_500);
        // Each message is about 8 tokens: the window holds a tenth of them.
        let kept = cut(&context, Cut::Sliding, 20_000).unwrap();
        assert!(estimate(&context[kept..]) < 14_000, "{kept}");
    }

    proptest! {
        #[test]
        fn no_cut_parts_calls_from_their_returns(turns in 0..12_usize, extra in 0..4_usize, percentage in 0.0..1.0_f64, window in 100..20_000_u32) {
            let mut context = long(turns);
            context.extend(long(1).into_iter().skip(1).take(extra));
            let settings = Settings { percentage, ..Settings::default() };
            for cut in [Cut::Sliding, Cut::All] {
                if let Some(plan) = plan(&context, cut, &settings, window) {
                    prop_assert!(plan.kept_from > 1 && plan.kept_from <= context.len());
                    prop_assert!(context.get(plan.kept_from).is_none_or(|first| first.role != Role::Tool));
                }
            }
        }
    }
}

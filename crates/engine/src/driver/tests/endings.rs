//! Cancelling and failing writes: what is kept and what is not done.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[tokio::test]
async fn a_failing_write_stops_the_turn() {
    let world = World::new(vec![calls(&[("c1", "a", "{}")])]);
    world.commits_left.store(0, Ordering::SeqCst);
    let outcome = drive(turn(&["a"], vec![]), &world).await;
    assert_eq!(outcome.stop_reason, StopReason::Error);
    let error = outcome.error.unwrap();
    assert_eq!(error.error_type, "internal_error");
    assert!(!error.detail.unwrap().contains("disk"), "the cause is for the log");
    assert!(world.ran.lock().unwrap().is_empty(), "no tool runs before its call is written");
    let told = world.events.lock().unwrap().iter().any(|event| matches!(event, TurnEvent::Message { .. }));
    assert!(!told);
}

#[tokio::test]
async fn what_a_person_can_do_about_a_failing_write_is_said() {
    let mut world = World::new(vec![calls(&[("c1", "a", "{}")])]);
    world.commits_left.store(0, Ordering::SeqCst);
    world.remedy = Some("Make room.".to_owned());
    let outcome = drive(turn(&["a"], vec![]), &world).await;
    let error = outcome.error.unwrap();
    assert_eq!((error.error_type.as_str(), error.message.as_str()), (crate::turn::STORAGE, "Make room."));
}

#[tokio::test]
async fn cancelling_before_a_step_writes_no_step() {
    let world = World::new(vec![]);
    world.cancel_now();
    let outcome = drive(turn(&[], vec![]), &world).await;
    assert_eq!(outcome.stop_reason, Cancelled);
    assert!(world.begun.lock().unwrap().is_empty());
}

#[tokio::test]
async fn cancelling_while_the_model_speaks_keeps_what_it_said() {
    let world =
        World::new(vec![vec![Ok(ChatEvent::Text("I was ab".into())), Ok(ChatEvent::Text("HANG".into()))]]);
    let world = std::sync::Arc::new(world);
    let running = tokio::spawn({
        let world = world.clone();
        async move { drive(turn(&[], vec![]), &*world).await }
    });
    while world.deltas().is_empty() {
        tokio::task::yield_now().await;
    }
    world.cancel_now();
    let outcome = running.await.unwrap();
    assert_eq!(outcome.stop_reason, Cancelled);
    let history = world.history();
    assert_eq!((history[0].text().as_str(), history[0].is_err), ("I was ab", true));
    assert_eq!(world.steps(), [(StepStatus::Cancelled, Some(Cancelled))]);
}

#[tokio::test]
async fn cancelling_while_tools_run_leaves_no_call_without_a_return() {
    let script = vec![calls(&[("c1", "a", r#"{"say":"one"}"#), ("c2", "hang", "{}"), ("c3", "a", "{}")])];
    let (world, outcome) = run(turn(&["a", "hang"], vec![]), script).await;
    assert_eq!(outcome.stop_reason, Cancelled);
    let got = returns(&world.history()[1]);
    assert_eq!(got[0], ("c1".into(), Success, "one".into()));
    assert!(got[1].2.contains("may have had effects"), "{}", got[1].2);
    assert!(got[2].2.contains("before this call ran"), "{}", got[2].2);
    assert_eq!(world.steps(), [(StepStatus::Cancelled, Some(Cancelled))]);
}

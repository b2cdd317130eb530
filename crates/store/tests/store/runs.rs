//! Runs, their steps, traces, events and the tool journal.

use loci_api::{
    chat::{Attempt, Usage},
    ids::{ConversationId, RunId, StepId, TraceId},
    message::Role,
    resource::{Run, RunStatus, StepStatus, StopReason},
};
use loci_store::{
    Page, StoreError, Thread,
    frames::{Known, encode},
    table::{
        context,
        run::{self, RunEnd, RunFilter},
        run_event::{self, RunEvent},
        step::{self, StepEnd, StepFilter, StepTiming},
        step_trace::{self, FramedTrace, StepTrace},
        tool_journal::{self, JournalEnd, JournalState},
    },
};
use serde_json::{Map, json};

use crate::fixture::{self, NOW, check, later};

fn end(stop_reason: StopReason) -> RunEnd {
    RunEnd { stop_reason, error: None, completed_at: later(4), ttft_ns: None, total_duration_ns: Some(9) }
}

#[tokio::test]
async fn a_run_comes_back_as_it_was_written() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let row = Run {
            status: RunStatus::Created,
            metadata: json!({"k": 1}).as_object().cloned(),
            request_config: Some(json!({"max_steps": 3})),
            callback_url: Some("http://x".to_owned()),
            ttft_ns: Some(5),
            base_template_id: Some("b".to_owned()),
            ..fixture::run(&thread)
        };
        run::insert(conn, &row, Some("token")).unwrap();
        assert_eq!(run::get(conn, &row.id).unwrap(), Some(row.clone()));
        assert!(run::start(conn, &row.id).unwrap());
        assert!(!run::start(conn, &row.id).unwrap());

        let error = json!({"error_type": "llm_timeout", "message": "m", "detail": null, "run_id": row.id});
        let failed = RunEnd { error: Some(error.clone()), ..end(StopReason::LlmApiError) };
        assert!(run::finish(conn, &row.id, &failed).unwrap());
        run::record_callback(conn, &row.id, later(6), Some(503), Some("no")).unwrap();
        run::set_metadata(conn, &row.id, "late", &json!(true)).unwrap();
        let expected = Run {
            status: RunStatus::Failed,
            stop_reason: Some(StopReason::LlmApiError),
            completed_at: Some(later(4)),
            total_duration_ns: Some(9),
            metadata: json!({"k": 1, "error": error, "late": true}).as_object().cloned(),
            callback_sent_at: Some(later(6)),
            callback_status_code: Some(503),
            callback_error: Some("no".to_owned()),
            ..row.clone()
        };
        assert_eq!(run::get(conn, &row.id).unwrap(), Some(expected));
        assert!(matches!(
            run::set_metadata(conn, &RunId::new(), "k", &json!(1)),
            Err(StoreError::NotFound { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_run_that_ended_stays_as_it_ended() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        for (first, second, expected) in [
            (StopReason::Cancelled, StopReason::EndTurn, RunStatus::Cancelled),
            (StopReason::RequiresApproval, StopReason::Error, RunStatus::Completed),
            (StopReason::MaxTokensExceeded, StopReason::Cancelled, RunStatus::Failed),
        ] {
            let row = fixture::run(&thread);
            run::insert(conn, &row, None).unwrap();
            assert!(run::finish(conn, &row.id, &end(first)).unwrap());
            assert!(!run::finish(conn, &row.id, &end(second)).unwrap());
            assert!(!run::start(conn, &row.id).unwrap());
            assert_eq!(run::get(conn, &row.id).unwrap().unwrap().status, expected);
        }
        assert!(!run::finish(conn, &RunId::new(), &end(StopReason::EndTurn)).unwrap());

        let waiting = fixture::run(&thread);
        run::insert(conn, &waiting, None).unwrap();
        assert!(!run::withdraw(conn, &waiting.id).unwrap(), "it does not wait yet");
        run::finish(conn, &waiting.id, &end(StopReason::RequiresApproval)).unwrap();
        assert!(run::withdraw(conn, &waiting.id).unwrap());
        assert!(!run::withdraw(conn, &waiting.id).unwrap());
        let withdrawn = run::get(conn, &waiting.id).unwrap().unwrap();
        assert_eq!(
            (withdrawn.status, withdrawn.stop_reason),
            (RunStatus::Cancelled, Some(StopReason::Cancelled))
        );
    })
    .await;
}

#[tokio::test]
async fn filters_find_what_they_say() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let other = Thread::new(fixture::stored_agent(conn, "b"), None);
        let rows = [
            Run { created_at: NOW, ..fixture::run(&thread) },
            Run { created_at: later(1), background: Some(true), ..fixture::run(&thread) },
            Run { created_at: later(2), background: None, ..fixture::run(&other) },
        ];
        for (row, token) in rows.iter().zip(["t", "t", "t"]) {
            run::insert(conn, row, Some(token)).unwrap();
        }
        run::finish(conn, &rows[0].id, &end(StopReason::MaxSteps)).unwrap();
        let none = RunFilter::default;
        let table = [
            (none(), vec![2, 1, 0]),
            (RunFilter { agent_id: Some(thread.agent_id.clone()), ..none() }, vec![1, 0]),
            (RunFilter { agent_ids: vec![other.agent_id.clone()], ..none() }, vec![2]),
            (RunFilter { statuses: vec![RunStatus::Completed, RunStatus::Failed], ..none() }, vec![0]),
            (RunFilter { background: Some(true), ..none() }, vec![1]),
            (RunFilter { background: Some(false), ..none() }, vec![2, 0]),
            (RunFilter { stop_reason: Some(StopReason::MaxSteps), ..none() }, vec![0]),
            (RunFilter { conversation_id: Some(ConversationId::new()), ..none() }, vec![]),
            (RunFilter { active: true, ..none() }, vec![2, 1]),
        ];
        for (filter, expected) in table {
            let found = run::list(conn, &filter, &Page::newest(9)).unwrap();
            let places: Vec<_> =
                found.iter().filter_map(|run| rows.iter().position(|row| row.id == run.id)).collect();
            assert_eq!(places, expected, "{filter:?}");
            assert_eq!(run::count(conn, &filter).unwrap(), i64::try_from(places.len()).unwrap());
        }
        let id = |run: Option<Run>| run.map(|run| run.id);
        assert_eq!(id(run::active_on(conn, &thread).unwrap()), Some(rows[1].id.clone()));
        assert_eq!(id(run::latest_on(conn, &other).unwrap()), Some(rows[2].id.clone()));
        assert_eq!(id(run::find_by_token(conn, &thread, "t", NOW).unwrap()), Some(rows[1].id.clone()));
        assert_eq!(id(run::find_by_token(conn, &thread, "t", later(2)).unwrap()), None);
        assert_eq!(id(run::find_by_token(conn, &thread, "u", NOW).unwrap()), None);
    })
    .await;
}

#[tokio::test]
async fn steps_keep_their_cost_and_the_run_sums_it() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let parent = fixture::run(&thread);
        run::insert(conn, &parent, None).unwrap();
        let (first, second) = (fixture::step(&parent), fixture::step(&parent));
        step::insert(conn, &first, NOW).unwrap();
        step::insert(conn, &second, later(1)).unwrap();
        assert_eq!(step::get(conn, &first.id).unwrap(), Some(first.clone()));
        let attempt = Attempt { number: 1, error: "503".to_owned(), waited_ms: 10 };
        let timing = StepTiming { llm_request_ns: Some(7), step_ns: Some(9), ..StepTiming::default() };
        let ended = |tokens: u64, status| StepEnd {
            status,
            stop_reason: Some(StopReason::EndTurn),
            usage: Some(Usage {
                prompt_tokens: tokens,
                completion_tokens: 1,
                total_tokens: tokens + 1,
                cached_input_tokens: Some(2),
                ..Usage::default()
            }),
            error_type: None,
            error_data: Some(Map::new()),
            request_id: Some("req".to_owned()),
            model_endpoint: Some("http://m".to_owned()),
            attempts: vec![attempt.clone()],
            timing,
            completed_at: later(3),
        };
        assert!(step::finish(conn, &first.id, &ended(10, StepStatus::Success)).unwrap());
        assert!(!step::finish(conn, &first.id, &ended(99, StepStatus::Failed)).unwrap());
        assert!(step::finish(conn, &second.id, &ended(20, StepStatus::Failed)).unwrap());
        let stored = step::get(conn, &first.id).unwrap().unwrap();
        assert_eq!(
            (stored.status, stored.total_tokens, stored.request_id.as_deref()),
            (Some(StepStatus::Success), Some(11), Some("req"))
        );
        let metrics = step::metrics(conn, &first.id).unwrap().unwrap();
        assert_eq!(
            (metrics.timing, metrics.attempts, metrics.run_id),
            (timing, vec![attempt.clone()], Some(parent.id.clone()))
        );
        let usage = run::usage(conn, &parent.id).unwrap();
        assert_eq!(
            (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.step_count),
            (30, 2, 32, 2)
        );
        assert_eq!(
            (usage.cached_input_tokens, usage.reasoning_tokens, usage.context_tokens),
            (Some(4), None, Some(21))
        );
        assert_eq!(run::usage(conn, &RunId::new()).unwrap().context_tokens, None);
    })
    .await;
}

#[tokio::test]
async fn steps_are_filtered_and_judged() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let parent = fixture::run(&thread);
        run::insert(conn, &parent, None).unwrap();
        let mut rows = [fixture::step(&parent), fixture::step(&parent)];
        rows[0].trace_id = Some("t".to_owned());
        rows[1].model = Some("other".to_owned());
        for (at, row) in (0..).zip(&rows) {
            step::insert(conn, row, later(at)).unwrap();
        }
        let tags = ["good".to_owned(), "fast".to_owned()];
        step::set_feedback(conn, &rows[1].id, Some("positive"), Some(&tags)).unwrap();
        step::set_feedback(conn, &rows[0].id, None, None).unwrap();
        assert!(matches!(
            step::set_feedback(conn, &fixture::step(&parent).id, None, None),
            Err(StoreError::NotFound { .. })
        ));
        let none = StepFilter::default;
        let table = [
            (none(), vec![0, 1]),
            (StepFilter { run_id: Some(parent.id), ..none() }, vec![0, 1]),
            (StepFilter { agent_id: Some(thread.agent_id), start: Some(later(1)), ..none() }, vec![1]),
            (StepFilter { end: Some(NOW), ..none() }, vec![0]),
            (StepFilter { model: Some("other".to_owned()), ..none() }, vec![1]),
            (StepFilter { trace_ids: vec!["t".to_owned()], ..none() }, vec![0]),
            (StepFilter { feedback: Some("positive".to_owned()), ..none() }, vec![1]),
            (StepFilter { has_feedback: Some(false), ..none() }, vec![0]),
            (StepFilter { tags: vec!["fast".to_owned()], ..none() }, vec![1]),
            (StepFilter { project_id: Some("p".to_owned()), ..none() }, vec![]),
        ];
        for (filter, expected) in table {
            let found = step::list(conn, &filter, &Page::oldest(9)).unwrap();
            let places: Vec<_> =
                found.iter().filter_map(|step| rows.iter().position(|row| row.id == step.id)).collect();
            assert_eq!(places, expected, "{filter:?}");
            assert_eq!(step::count(conn, &filter).unwrap(), i64::try_from(places.len()).unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_is_read_from_the_frames_of_its_chain() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let parent = fixture::run(&thread);
        run::insert(conn, &parent, None).unwrap();
        let later_run = fixture::run(&thread);
        run::insert(conn, &later_run, None).unwrap();
        let mut known = Known::default();
        let mut kept = Vec::new();
        for number in 0..4_u32 {
            let step = fixture::step(if number < 2 { &parent } else { &later_run });
            step::insert(conn, &step, NOW).unwrap();
            let request = json!({"model": "m", "messages": (0..=number).collect::<Vec<_>>()});
            let trace = FramedTrace {
                id: TraceId::new(),
                step_id: step.id.clone(),
                agent_id: thread.agent_id.clone(),
                chain: "c".to_owned(),
                position: number,
                frame: encode(&mut known, &request).unwrap(),
                response_json: json!({"n": number}),
                created_at: later(number.into()),
            };
            assert!(step_trace::append(conn, &trace).unwrap());
            kept.push((step.id, request));
        }
        for (id, request) in &kept {
            assert_eq!(step_trace::get(conn, id).unwrap().unwrap().request_json, *request);
        }
        // A run that is deleted takes nothing from the others.
        run::delete(conn, &parent.id).unwrap();
        assert_eq!(step_trace::get(conn, &kept[0].0).unwrap(), None);
        assert_eq!(step_trace::get(conn, &kept[3].0).unwrap().unwrap().request_json, kept[3].1);
        assert_eq!(
            step_trace::trim(conn, later(3), 100).unwrap(),
            1,
            "the third; the first two went with their run"
        );
        assert_eq!(step_trace::get(conn, &kept[3].0).unwrap().unwrap().request_json, kept[3].1);
        assert_eq!(step_trace::trim(conn, later(9), 100).unwrap(), 1);
        // The chain is gone now: it cannot go on.
        let step = fixture::step(&later_run);
        step::insert(conn, &step, NOW).unwrap();
        let lost = FramedTrace {
            id: TraceId::new(),
            step_id: step.id.clone(),
            agent_id: thread.agent_id.clone(),
            chain: "c".to_owned(),
            position: 4,
            frame: json!([]),
            response_json: json!({}),
            created_at: NOW,
        };
        assert!(!step_trace::append(conn, &lost).unwrap());
        assert_eq!(step_trace::get(conn, &step.id).unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn traces_events_and_journal_are_kept_for_a_while() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let parent = fixture::run(&thread);
        run::insert(conn, &parent, None).unwrap();
        let step = fixture::step(&parent);
        step::insert(conn, &step, NOW).unwrap();

        let trace = StepTrace {
            id: TraceId::new(),
            step_id: step.id.clone(),
            request_json: json!({"z": 1, "a": [1, 2]}),
            response_json: json!({"text": "\u{0}"}),
            created_at: NOW,
        };
        assert_eq!(step_trace::get(conn, &step.id).unwrap(), None);
        step_trace::upsert(conn, &trace).unwrap();
        let trace = StepTrace { response_json: json!({}), ..trace };
        step_trace::upsert(conn, &trace).unwrap();
        assert_eq!(step_trace::get(conn, &step.id).unwrap(), Some(trace));
        assert_eq!(step_trace::trim(conn, NOW, 100).unwrap(), 0);
        assert_eq!(step_trace::trim(conn, later(1), 100).unwrap(), 1);

        assert!(tool_journal::start(conn, &step.id, "c2", "f", NOW).unwrap());
        assert!(tool_journal::start(conn, &step.id, "c1", "g", later(1)).unwrap());
        assert!(!tool_journal::start(conn, &StepId::new(), "c1", "g", later(1)).unwrap(), "by hand");
        let ended = JournalEnd {
            step_id: step.id.clone(),
            tool_call_id: "c1".to_owned(),
            state: JournalState::Error,
            confinement: Some("no network".to_owned()),
            reason: Some("it failed".to_owned()),
            at: later(2),
        };
        tool_journal::finish(conn, &ended).unwrap();
        assert_eq!(tool_journal::mark_unknown(conn, later(3)).unwrap(), 1);
        tool_journal::finish(conn, &JournalEnd { tool_call_id: "c2".to_owned(), ..ended }).unwrap();
        let calls: Vec<_> = tool_journal::list_for_step(conn, &step.id)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.tool_call_id, entry.state, entry.confinement, entry.finished_at))
            .collect();
        let confined = Some("no network".to_owned());
        assert_eq!(
            calls,
            [
                ("c2".to_owned(), JournalState::Unknown, None, None),
                ("c1".to_owned(), JournalState::Error, confined, Some(later(2))),
            ]
        );

        let event = |seq_id| RunEvent { seq_id, payload: format!("{{\"n\":{seq_id}}}") };
        assert_eq!(run_event::last_seq_id(conn, &parent.id).unwrap(), None);
        run_event::append(conn, &parent.id, &[event(1), event(2), event(3)], NOW).unwrap();
        assert!(matches!(
            run_event::append(conn, &parent.id, &[event(3)], NOW),
            Err(StoreError::Duplicate { .. })
        ));
        assert_eq!(run_event::list_after(conn, &parent.id, 1, 9).unwrap(), [event(2), event(3)]);
        assert_eq!(run_event::list_after(conn, &parent.id, 0, 1).unwrap(), [event(1)]);
        assert_eq!(run_event::last_seq_id(conn, &parent.id).unwrap(), Some(3));
        assert_eq!(run_event::trim(conn, later(60), 100).unwrap(), 0, "a run that goes on keeps its stream");
        run::finish(conn, &parent.id, &end(StopReason::EndTurn)).unwrap();
        assert_eq!(run_event::trim(conn, later(4), 100).unwrap(), 0);
        assert_eq!(run_event::trim(conn, later(60), 100).unwrap(), 1);

        context::push(conn, &thread, &[fixture::message(&thread, Role::User, "x")]).unwrap();
        assert!(run::delete(conn, &parent.id).unwrap());
        assert_eq!(step::get(conn, &step.id).unwrap(), None);
    })
    .await;
}

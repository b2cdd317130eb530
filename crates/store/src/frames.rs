//! Requests that repeat each other, kept as what is new in each.
//!
//! A frame lists the request's fields in order. A field is the same as before, new, or (a list) put together from
//! runs of the items before and new ones. Only digests of the request before are needed to make a frame, and all
//! frames of a chain to read one.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

use serde_json::{Map, Value, json};

/// Digests of the request before.
#[derive(Debug, Clone, Default)]
pub struct Known(BTreeMap<String, Digest>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Digest {
    List(Vec<u64>),
    Other(u64),
}

/// The frame of the next request; `known` are the digests of it from then on. What is no object has no frame.
pub fn encode(known: &mut Known, request: &Value) -> Option<Value> {
    let Value::Object(request) = request else { return None };
    let mut fields = Vec::with_capacity(request.len());
    let mut now = BTreeMap::new();
    for (name, value) in request {
        let digest = match value {
            Value::Array(items) => Digest::List(items.iter().map(digest).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Digest::Other(self::digest(value))
            }
        };
        let how = match (known.0.get(name), &digest, value) {
            (Some(before), digest, _) if before == digest => Value::Null,
            (Some(Digest::List(before)), Digest::List(digests), Value::Array(items)) => {
                json!({"runs": runs(before, digests, items)})
            }
            _ => json!({"is": value}),
        };
        fields.push(json!([name, how]));
        now.insert(name.clone(), digest);
    }
    known.0 = now;
    Some(Value::Array(fields))
}

/// `[start, length]` of items before, `{"add": […]}` for new ones.
fn runs(before: &[u64], digests: &[u64], items: &[Value]) -> Vec<Value> {
    let mut places: HashMap<u64, usize> = HashMap::with_capacity(before.len());
    for (at, digest) in before.iter().enumerate() {
        places.entry(*digest).or_insert(at);
    }
    let mut runs = Vec::new();
    let mut at = 0;
    // Where the run that is being followed goes on.
    let mut next = 0;
    while let Some(digest) = digests.get(at) {
        // An item may be there several times; the one that goes on with the run makes the fewest runs.
        let start = if before.get(next) == Some(digest) { Some(next) } else { places.get(digest).copied() };
        if let Some(start) = start {
            let same = digests[at..].iter().zip(&before[start..]).take_while(|(new, old)| new == old).count();
            runs.push(json!([start, same]));
            at += same;
            next = start + same;
        } else {
            let known = |digest: &u64| before.get(next) == Some(digest) || places.contains_key(digest);
            let new = digests[at..].iter().take_while(|digest| !known(digest)).count();
            runs.push(json!({"add": &items[at..at + new]}));
            at += new;
        }
    }
    runs
}

fn digest(value: &Value) -> u64 {
    // Its keys are fixed, so digests of one process agree.
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher);
    hasher.finish()
}

fn feed(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(flag) => (1_u8, flag).hash(hasher),
        Value::Number(number) => (2_u8, number).hash(hasher),
        Value::String(text) => (3_u8, text).hash(hasher),
        Value::Array(items) => {
            (4_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| feed(item, hasher));
        }
        Value::Object(fields) => {
            (5_u8, fields.len()).hash(hasher);
            for (name, value) in fields {
                name.hash(hasher);
                feed(value, hasher);
            }
        }
    }
}

/// Puts requests together again, frame by frame.
#[derive(Debug, Default)]
pub(crate) struct Reader(Vec<(String, Part)>);

#[derive(Debug, Clone)]
enum Part {
    List(Vec<Rc<Value>>),
    Other(Rc<Value>),
}

impl Reader {
    /// Takes the next frame; `None` if it does not fit what came before.
    pub(crate) fn apply(&mut self, frame: Value) -> Option<()> {
        let Value::Array(fields) = frame else { return None };
        let mut before: HashMap<String, Part> = std::mem::take(&mut self.0).into_iter().collect();
        for field in fields {
            let Value::Array(field) = field else { return None };
            let [Value::String(name), how] = <[Value; 2]>::try_from(field).ok()? else { return None };
            let part = match how {
                Value::Null => before.remove(&name)?,
                Value::Object(mut how) => match (how.remove("is"), how.remove("runs")) {
                    (Some(Value::Array(items)), _) => Part::List(items.into_iter().map(Rc::new).collect()),
                    (Some(value), _) => Part::Other(Rc::new(value)),
                    (None, Some(Value::Array(runs))) => {
                        let Part::List(items) = before.remove(&name)? else { return None };
                        Part::List(follow(&items, runs)?)
                    }
                    (None, _) => return None,
                },
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
            };
            self.0.push((name, part));
        }
        Some(())
    }

    /// The request at the last frame.
    pub(crate) fn request(self) -> Value {
        let owned = |item: Rc<Value>| Rc::try_unwrap(item).unwrap_or_else(|shared| shared.as_ref().clone());
        let fields = self.0.into_iter().map(|(name, part)| match part {
            Part::List(items) => (name, Value::Array(items.into_iter().map(owned).collect())),
            Part::Other(value) => (name, owned(value)),
        });
        Value::Object(fields.collect::<Map<String, Value>>())
    }
}

fn follow(before: &[Rc<Value>], runs: Vec<Value>) -> Option<Vec<Rc<Value>>> {
    let mut items = Vec::new();
    for run in runs {
        match run {
            Value::Array(span) => {
                let number = |at: usize| usize::try_from(span.get(at)?.as_u64()?).ok();
                let (start, length) = (number(0)?, number(1)?);
                items.extend_from_slice(before.get(start..start.checked_add(length)?)?);
            }
            Value::Object(mut run) => {
                let Some(Value::Array(new)) = run.remove("add") else { return None };
                items.extend(new.into_iter().map(Rc::new));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        }
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn read(frames: &[Value]) -> Option<Value> {
        let mut reader = Reader::default();
        for frame in frames {
            reader.apply(frame.clone())?;
        }
        Some(reader.request())
    }

    /// Every request comes out as it went in; gives the bytes of each frame.
    fn check(requests: &[Value]) -> Vec<usize> {
        let mut known = Known::default();
        let frames: Vec<Value> =
            requests.iter().map(|request| encode(&mut known, request).unwrap()).collect();
        for (at, request) in requests.iter().enumerate() {
            let again = read(&frames[..=at]).unwrap();
            assert_eq!(again.to_string(), request.to_string(), "order included");
        }
        frames.iter().map(|frame| frame.to_string().len()).collect()
    }

    fn turn(number: usize) -> [Value; 2] {
        [
            json!({"role": "user", "content": format!("question {number}")}),
            json!({"role": "assistant", "content": format!("answer {number}")}),
        ]
    }

    #[test]
    fn a_growing_conversation_costs_what_is_new() {
        let system = "You are kind. ".repeat(1_000);
        let requests: Vec<Value> = (1..100)
            .map(|count| {
                let messages: Vec<Value> = (0..count).flat_map(turn).collect();
                let mut all = vec![json!({"role": "system", "content": system})];
                all.extend(messages);
                json!({"model": "m", "messages": all, "tools": [{"name": "t"}], "stream": true})
            })
            .collect();
        let sizes = check(&requests);
        assert!(sizes[0] > system.len());
        assert!(sizes[1..].iter().all(|size| *size < 300), "{sizes:?}");
    }

    #[test]
    fn changes_anywhere_are_kept() {
        check(&[
            json!({"messages": [{"a": 1}, {"a": 2}, {"a": 3}], "model": "m"}),
            json!({"messages": [{"a": 9}, {"a": 2}, {"a": 3}, {"a": 4}], "model": "m", "temperature": 0.5}),
            json!({"temperature": 0.5, "messages": [{"a": 4}, {"a": 4}, {"a": 2}], "model": "other"}),
            json!({"messages": "now a text", "model": null}),
            json!({"messages": [], "system": {"text": "x"}}),
            json!({}),
        ]);
        assert_eq!(encode(&mut Known::default(), &json!([1])), None);
    }

    #[test]
    fn frames_that_do_not_fit_are_no_request() {
        for frames in [
            vec![json!("x")],
            vec![json!([["messages", null]])],
            vec![json!([["messages", {"runs": [[0, 1]]}]])],
            vec![json!([["m", {"is": [1]}]]), json!([["m", {"runs": [[0, 2]]}]])],
            vec![
                json!([["m", {"is": [1]}]]),
                json!([["m", {"runs": [[18_446_744_073_709_551_615_u64, 2]]}]]),
            ],
            vec![json!([["m", {"is": 1}]]), json!([["m", {"runs": [7]}]])],
            vec![json!([[1, 2, 3]])],
        ] {
            assert_eq!(read(&frames), None, "{frames:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_follows_whatever_comes_out_again(
            lists in proptest::collection::vec(proptest::collection::vec(0..6_u8, 0..8), 1..8),
        ) {
            let requests: Vec<Value> = lists
                .iter()
                .map(|items| json!({"messages": items.iter().map(|item| json!({"n": item})).collect::<Vec<_>>()}))
                .collect();
            check(&requests);
        }
    }
}

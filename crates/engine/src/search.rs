//! `conversation_search` without its database: reading the arguments, and the form of what was found.

use jiff::{
    Timestamp as Moment,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use loci_api::{
    message::{Message, Role},
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use crate::returns::clip;

const DEFAULT_LIMIT: usize = 5;
const MOST: usize = 50;
/// Characters of one found message that are shown. With [`MOST`] it bounds the whole return.
const ITEM_CAP: usize = 4_000;
/// The tool's own name; its calls are not worth finding.
const NAME: &str = "conversation_search";

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchArgs {
    /// `None` lists by date alone.
    pub query: Option<String>,
    /// Empty is all of user, assistant and tool.
    pub roles: Vec<Role>,
    pub limit: usize,
    /// Both ends belong to the range.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

/// Reads the tool's arguments. Dates without an offset are in `zone` (IANA name); a date without a time means
/// the whole day.
///
/// # Errors
/// A sentence for the model.
pub fn parse_search(args: &Map<String, Value>, zone: &str) -> Result<SearchArgs, String> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let text = |key: &str| match args.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim())),
        Some(_) => Err(format!("The argument '{key}' of {NAME} must be a string.")),
    };
    let limit = match args.get("limit") {
        None | Some(Value::Null) => DEFAULT_LIMIT,
        Some(Value::Number(number)) => number
            .as_f64()
            .filter(|limit| limit.fract() == 0.0 && *limit >= 1.0)
            .map(|limit| (limit as usize).min(MOST))
            .ok_or_else(|| {
                format!("The argument 'limit' of {NAME} must be a whole number from 1 to {MOST}.")
            })?,
        Some(_) => {
            return Err(format!("The argument 'limit' of {NAME} must be a whole number from 1 to {MOST}."));
        }
    };
    let mut roles = Vec::new();
    match args.get("roles") {
        None | Some(Value::Null) => {}
        Some(Value::Array(given)) => {
            for role in given {
                roles.push(match role.as_str() {
                    Some("user") => Role::User,
                    Some("assistant") => Role::Assistant,
                    Some("tool") => Role::Tool,
                    _ => {
                        return Err(format!(
                            "{role} is not a role: use \"user\", \"assistant\" or \"tool\"."
                        ));
                    }
                });
            }
        }
        Some(_) => return Err(format!("The argument 'roles' of {NAME} must be a list.")),
    }
    let start = text("start_date")?.map(|date| moment(date, &zone, false)).transpose()?;
    let end = text("end_date")?.map(|date| moment(date, &zone, true)).transpose()?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err("start_date is after end_date, so nothing can be found.".to_owned());
    }
    Ok(SearchArgs { query: text("query")?.map(str::to_owned), roles, limit, start, end })
}

/// A date as a model writes it; `end` makes a bare day its last microsecond.
///
/// # Errors
/// A sentence for the model.
pub fn moment(text: &str, zone: &TimeZone, end: bool) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Moment>() {
        return Ok(Timestamp(moment.as_microsecond()));
    }
    let bad = || format!("'{text}' is not a date: write 2024-01-15 or 2024-01-15T14:30.");
    let at = |local: DateTime| {
        zone.to_zoned(local).map(|zoned| Timestamp(zoned.timestamp().as_microsecond())).map_err(|_| bad())
    };
    // A bare day also reads as a time at midnight; only its form tells the two apart.
    if text.len() == 10 && end {
        let next = text.parse::<Date>().and_then(Date::tomorrow).map_err(|_| bad())?;
        return at(next.to_datetime(jiff::civil::Time::midnight())).map(|next| Timestamp(next.0 - 1));
    }
    at(text.parse::<DateTime>().map_err(|_| bad())?)
}

/// The tool's return for the messages found, best first. Tool messages and the agent's own searches are left out.
#[must_use]
pub fn search_result(found: &[Message], now: Timestamp, zone: &str) -> Value {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let searches = |message: &Message| message.tool_calls.iter().any(|call| call.name == NAME);
    let results: Vec<Value> = found
        .iter()
        .filter(|message| message.role != Role::Tool && !searches(message))
        .map(|message| item(message, now, &zone))
        .collect();
    let message = match results.len() {
        0 => "No results found.".to_owned(),
        count => format!("Showing {count} results:"),
    };
    json!({"message": message, "results": results})
}

fn item(message: &Message, now: Timestamp, zone: &TimeZone) -> Value {
    let local = Moment::from_microsecond(message.created_at.0).unwrap_or_default().to_zoned(zone.clone());
    let mut item = Map::new();
    item.insert("timestamp".to_owned(), json!(local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()));
    item.insert("time_ago".to_owned(), json!(time_ago(now.0 - message.created_at.0)));
    item.insert("role".to_owned(), json!(message.role.as_str()));
    item.insert("relevance".to_owned(), json!({"search_mode": "sql"}));
    let text = message.text();
    match serde_json::from_str::<Value>(&text) {
        // Only short objects are merged, so that an item stays bounded.
        Ok(Value::Object(fields)) if text.chars().count() <= ITEM_CAP => {
            for (key, value) in fields {
                item.entry(key).or_insert(value);
            }
        }
        Ok(_) | Err(_) => {
            item.insert("content".to_owned(), json!(clip(&text, ITEM_CAP)));
        }
    }
    Value::Object(item)
}

fn time_ago(microseconds: i64) -> String {
    let seconds = (microseconds / 1_000_000).max(0);
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::testing::{assistant, tool, user};

    fn args(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn micros(text: &str) -> Option<Timestamp> {
        Some(Timestamp(text.parse::<Moment>().unwrap().as_microsecond()))
    }

    #[test]
    fn dates_mean_what_a_person_means() {
        for (start, end, zone, from, to) in [
            ("2024-01-15", "2024-01-15", "UTC", "2024-01-15T00:00:00Z", "2024-01-15T23:59:59.999999Z"),
            (
                "2024-01-15",
                "2024-01-15",
                "Europe/Berlin",
                "2024-01-14T23:00:00Z",
                "2024-01-15T22:59:59.999999Z",
            ),
            ("2024-01-15T14:30", "2024-01-15T14:31", "UTC", "2024-01-15T14:30:00Z", "2024-01-15T14:31:00Z"),
            (
                "2024-01-15T14:30:00Z",
                "2024-01-15T15:30:00+01:00",
                "Asia/Tokyo",
                "2024-01-15T14:30:00Z",
                "2024-01-15T14:30:00Z",
            ),
        ] {
            let given = args(json!({"query": "tea", "start_date": start, "end_date": end}));
            let parsed = parse_search(&given, zone).unwrap();
            assert_eq!((parsed.start, parsed.end), (micros(from), micros(to)), "{start} {end} {zone}");
        }
    }

    #[test]
    fn arguments_are_bounded_or_refused() {
        let parsed =
            parse_search(&args(json!({"limit": 1000, "roles": ["user"], "query": " "})), "UTC").unwrap();
        assert_eq!((parsed.limit, parsed.roles, parsed.query), (MOST, vec![Role::User], None));
        assert_eq!(parse_search(&Map::new(), "UTC").unwrap().limit, 5);
        for bad in [
            json!({"limit": 0}),
            json!({"limit": "many"}),
            json!({"roles": ["nobody"]}),
            json!({"roles": "user"}),
            json!({"query": 3}),
            json!({"start_date": "soon"}),
            json!({"end_date": "2024-13-45"}),
            json!({"start_date": "2024-02-01", "end_date": "2024-01-01"}),
        ] {
            assert!(parse_search(&args(bad.clone()), "UTC").is_err(), "{bad}");
        }
    }

    #[test]
    fn results_leave_out_the_search_itself() {
        let mut searching = assistant("looking", &["x"]);
        searching.tool_calls[0].name = NAME.into();
        let mut packed = user(r#"{"type": "login", "role": "x"}"#);
        packed.created_at = Timestamp(0);
        let found = [user("I like tea"), searching, tool(&["x"]), packed];
        let result = search_result(&found, Timestamp(90_000_000), "Europe/Berlin");
        assert_eq!(
            result,
            json!({"message": "Showing 2 results:", "results": [
                {"timestamp": "1970-01-01T01:00:00+01:00", "time_ago": "1m ago", "role": "user",
                 "relevance": {"search_mode": "sql"}, "content": "I like tea"},
                {"timestamp": "1970-01-01T01:00:00+01:00", "time_ago": "1m ago", "role": "user",
                 "relevance": {"search_mode": "sql"}, "type": "login"},
            ]})
        );
        assert_eq!(
            search_result(&[], Timestamp(0), "UTC"),
            json!({"message": "No results found.", "results": []})
        );
    }
}

//! Days and months as the person counts them: they begin at midnight in a time zone.

use std::collections::BTreeMap;

use jiff::{Timestamp as Moment, ToSpan, Zoned, tz::TimeZone};
use loci_api::time::Timestamp;
use loci_store::{
    Connection, StoreError,
    table::{
        budget::Period,
        usage::{self, SLICE, UsageFilter, UsageSum},
    },
};

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    Moment::from_microsecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}

/// When the period that `now` lies in began; `None` for one without a beginning.
#[must_use]
pub fn midnight(period: Period, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let today = zoned(now, zone).start_of_day().ok()?;
    let began = match period {
        Period::Day => today,
        Period::Month => today.first_of_month().and_then(|first| first.start_of_day()).ok()?,
        Period::Total => return None,
    };
    Some(Timestamp(began.timestamp().as_microsecond()))
}

/// When the period after the one `now` lies in begins.
#[must_use]
pub fn next(period: Period, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let began = zoned(midnight(period, now, zone)?, zone);
    let span = match period {
        Period::Day => 1.day(),
        Period::Month => 1.month(),
        Period::Total => return None,
    };
    let next = began.checked_add(span).and_then(|next| next.start_of_day()).ok()?;
    Some(Timestamp(next.timestamp().as_microsecond()))
}

/// Sums by day, oldest first; the key is the date, `2026-11-20`.
///
/// # Errors
/// If the database cannot be read.
pub fn by_day(conn: &Connection, filter: &UsageFilter, zone: &TimeZone) -> Result<Vec<UsageSum>, StoreError> {
    let mut days: BTreeMap<String, UsageSum> = BTreeMap::new();
    for slice in usage::slices(conn, filter)? {
        let number: i64 = slice.key.parse().unwrap_or(0);
        let day = zoned(Timestamp(number.saturating_mul(SLICE)), zone).strftime("%Y-%m-%d").to_string();
        let sum = days.entry(day.clone()).or_insert_with(|| UsageSum { key: day, ..UsageSum::default() });
        sum.calls += slice.calls;
        sum.tokens.prompt += slice.tokens.prompt;
        sum.tokens.completion += slice.tokens.completion;
        sum.tokens.cached_input += slice.tokens.cached_input;
        sum.tokens.cache_write += slice.tokens.cache_write;
        sum.tokens.reasoning += slice.tokens.reasoning;
        sum.estimated_calls += slice.estimated_calls;
        sum.cost_nano_usd += slice.cost_nano_usd;
        sum.unpriced_calls += slice.unpriced_calls;
        sum.last_at = sum.last_at.max(slice.last_at);
    }
    Ok(days.into_values().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<Moment>().unwrap().as_microsecond())
    }

    #[test]
    fn a_day_is_the_person_s_day() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (period, now, began, ends) in [
            (Period::Day, "2026-11-20T22:59:00Z", Some("2026-11-19T23:00:00Z"), Some("2026-11-20T23:00:00Z")),
            (Period::Day, "2026-11-20T23:00:00Z", Some("2026-11-20T23:00:00Z"), Some("2026-11-21T23:00:00Z")),
            // The day on which the clock is turned back has 25 hours.
            (Period::Day, "2026-10-25T12:00:00Z", Some("2026-10-24T22:00:00Z"), Some("2026-10-25T23:00:00Z")),
            (
                Period::Month,
                "2026-11-20T12:00:00Z",
                Some("2026-10-31T23:00:00Z"),
                Some("2026-11-30T23:00:00Z"),
            ),
            (Period::Total, "2026-11-20T12:00:00Z", None, None),
        ] {
            assert_eq!(midnight(period, at(now), &berlin), began.map(at), "{period:?} {now}");
            assert_eq!(next(period, at(now), &berlin), ends.map(at), "{period:?} {now}");
        }
    }
}

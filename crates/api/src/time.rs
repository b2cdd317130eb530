//! Moments as the API writes them.

use jiff::{Timestamp as Moment, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in microseconds since 1970, UTC. Written as `2026-11-20T19:04:02.761437Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The clock of this machine.
    #[must_use]
    pub fn now() -> Self {
        Self(Moment::now().as_microsecond())
    }

    fn moment(self) -> Moment {
        Moment::from_microsecond(self.0).unwrap_or_default()
    }

    /// As resources carry it: microseconds and `Z`.
    #[must_use]
    pub fn resource(self) -> String {
        self.moment().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    }

    /// As messages carry it: whole seconds and an offset, `2026-11-20T19:04:02+00:00`.
    #[must_use]
    pub fn message_date(self) -> String {
        self.moment().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    }

    /// As the model reads it in a tool return: `2026-11-20 07:04:02 PM UTC+0000`. An unknown zone counts as UTC.
    #[must_use]
    pub fn for_model(self, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        self.moment().to_zoned(zone).strftime("%Y-%m-%d %I:%M:%S %p %Z%z").to_string()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.resource())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        text.parse::<Moment>().map(|moment| Self(moment.as_microsecond())).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_form() {
        let at = Timestamp(1_763_665_442_761_437);
        assert_eq!(at.resource(), "2025-11-20T19:04:02.761437Z");
        assert_eq!(at.message_date(), "2025-11-20T19:04:02+00:00");
        assert_eq!(at.for_model("UTC"), "2025-11-20 07:04:02 PM UTC+0000");
        assert_eq!(at.for_model("Europe/Berlin"), "2025-11-20 08:04:02 PM CET+0100");
        assert_eq!(at.for_model("nowhere"), at.for_model("UTC"));
    }
}

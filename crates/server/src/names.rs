//! Names for agents nobody named: two plain words.

const FIRST: [&str; 48] = [
    "Amber", "Bold", "Brave", "Bright", "Calm", "Clear", "Clever", "Coral", "Crisp", "Deep", "Eager",
    "Early", "Fair", "Fresh", "Gentle", "Glad", "Golden", "Grand", "Green", "Happy", "Honest", "Jade",
    "Keen", "Kind", "Light", "Lively", "Lucky", "Mellow", "Merry", "Misty", "Noble", "Patient", "Proud",
    "Quick", "Quiet", "Rapid", "Ready", "Royal", "Silent", "Silver", "Steady", "Still", "Sunny", "Swift",
    "True", "Warm", "Wild", "Wise",
];
const SECOND: [&str; 48] = [
    "Anchor", "Arch", "Atlas", "Badger", "Beacon", "Birch", "Bridge", "Brook", "Cedar", "Clover", "Comet",
    "Crane", "Delta", "Dune", "Ember", "Falcon", "Fern", "Finch", "Fjord", "Forest", "Garden", "Harbor",
    "Hazel", "Heron", "Island", "Juniper", "Lagoon", "Lantern", "Lark", "Linden", "Maple", "Meadow",
    "Orchard", "Otter", "Palace", "Pebble", "Pine", "Quill", "Raven", "Reef", "River", "Robin", "Rowan",
    "Sparrow", "Spring", "Summit", "Tide", "Willow",
];

/// Two words joined, for example `KindHarbor`. Not unique.
#[must_use]
pub fn made_up() -> String {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    let pick = |words: &[&'static str; 48], byte: u8| words[usize::from(byte) % words.len()];
    format!("{}{}", pick(&FIRST, a), pick(&SECOND, b))
}

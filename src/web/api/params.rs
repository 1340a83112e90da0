use serde_json::{Value, json};

use super::problem::Problem;
use crate::report::{MOST_ROWS, USUAL_LIMIT};

/// A parameter of the query string, as it is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) struct Param {
    pub(in crate::web) name: &'static str,
    pub(super) about: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Pattern(&'static str),
    Number { least: u32, most: u32, usual: Option<u32> },
    OneOf(&'static [&'static str]),
}

impl Param {
    const fn text(name: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Text }
    }

    const fn like(name: &'static str, pattern: &'static str, about: &'static str) -> Self {
        Self { name, about, kind: Kind::Pattern(pattern) }
    }

    const fn one_of(name: &'static str, about: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, about, kind: Kind::OneOf(values) }
    }

    const fn number(name: &'static str, about: &'static str, least: u32, most: u32, usual: Option<u32>) -> Self {
        Self { name, about, kind: Kind::Number { least, most, usual } }
    }

    /// Whether a value is one of those allowed. What is only text here is read, and checked, by whoever uses it.
    pub(super) fn check(&self, value: &str) -> Result<(), Problem> {
        let allowed = match self.kind {
            Kind::Text | Kind::Pattern(_) => return Ok(()),
            Kind::Number { least, most, .. } if value.parse().is_ok_and(|number: u32| (least..=most).contains(&number)) => return Ok(()),
            Kind::Number { least, most, .. } => format!("a whole number from {least} to {most}"),
            Kind::OneOf(values) if values.contains(&value) => return Ok(()),
            Kind::OneOf(values) => format!("one of {}", values.join(", ")),
        };
        Err(Problem::wrong(self.name, format!("{} must be {allowed}, not {value:?}", self.name)))
    }

    pub(super) fn schema(&self) -> Value {
        match self.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
            Kind::OneOf(values) => json!({"type": "string", "enum": values}),
            Kind::Number { least, most, usual: None } => json!({"type": "integer", "minimum": least, "maximum": most}),
            Kind::Number { least, most, usual } => json!({"type": "integer", "minimum": least, "maximum": most, "default": usual}),
        }
    }
}

/// A date, or a moment in RFC 3339.
const MOMENT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z)?$";

pub(in crate::web) const RANGE: &[Param] = &[
    Param::number(
        "days",
        "So many reporting days, today the last of them; usual ones are 7, 30 and 90. All time if absent.",
        1,
        100_000,
        None,
    ),
    Param::like("from", MOMENT, "The first reporting day (2026-11-02) or moment (RFC 3339). Instead of `days`."),
    Param::like("to", MOMENT, "The reporting day or moment before which the range ends. Instead of `days`."),
];
pub(in crate::web) const ZONE: &[Param] = &[Param::like(
    "tz",
    "^[A-Za-z_+-]+(/[A-Za-z0-9_+-]+)*$",
    "The IANA time zone in which hours are told. Reporting days stay as they are.",
)];
pub(in crate::web) const FILTERS: &[Param] = &[
    Param::text("platform", "Only this platform, such as `iOS`."),
    Param::text("version", "Only this version of an app."),
    Param::text("endpoint", "Only this endpoint: method and route template, or the template alone for all methods."),
    Param::text("feature", "Only this feature, by its key."),
    Param::text("user", "Only this user, by the app's own id."),
    Param::like(
        "status",
        "^([1-5]xx|[1-9][0-9]{2}|failed|aborted)$",
        "Only this status: a code (404), a class (4xx), `failed` or `aborted`.",
    ),
    Param::one_of("bots", "Whether bots count; people alone if absent.", &["exclude", "only", "include"]),
];
pub(in crate::web) const DEVICE_FILTERS: &[Param] = &[FILTERS[0], FILTERS[1], FILTERS[4], FILTERS[6]];
pub(in crate::web) const USER_FILTERS: &[Param] = &[FILTERS[0], FILTERS[1], FILTERS[2], FILTERS[3], FILTERS[5]];
pub(in crate::web) const LAST_FILTERS: &[Param] = &[FILTERS[0], FILTERS[1], FILTERS[4]];
pub(in crate::web) const LIMIT: &[Param] = &[Param::number("limit", "Rows at most.", 1, MOST_ROWS as u32, Some(USUAL_LIMIT as u32))];
pub(in crate::web) const CURSOR: &[Param] =
    &[Param::like("cursor", "^-?[0-9]{1,18}_-?[0-9]{1,18}_-?[0-9]{1,18}$", "`next_cursor` of the page before.")];
pub(in crate::web) const INTERVAL: &[Param] =
    &[Param::one_of("interval", "How long each step is; what suits the range if absent.", &["day", "week", "month"])];
pub(in crate::web) const FINE_INTERVAL: &[Param] =
    &[Param::one_of("interval", "How long each step is; what suits the range if absent.", &["15min", "hour", "day", "week", "month"])];
pub(in crate::web) const ORDER: &[Param] = &[Param::one_of(
    "order",
    "What the list is ordered by, greatest first; when users were first recorded if absent.",
    &["first_seen", "last_seen", "actions", "sessions"],
)];
pub(in crate::web) const FIRST_SEEN: &[Param] = &[
    Param::like("first_from", MOMENT, "Only users who were first seen, ever, on this day or at this moment, or later."),
    Param::like("first_to", MOMENT, "Only users who were first seen before this day or moment."),
];
pub(in crate::web) const USUAL_IDLE_DAYS: u32 = 30;
pub(in crate::web) const IDLE: &[Param] =
    &[Param::number("idle_days", "Not seen for so many reporting days, today among them.", 1, 100_000, Some(USUAL_IDLE_DAYS))];
pub(in crate::web) const BY: &[Param] = &[Param::one_of("by", "What makes a power user; actions if absent.", &["actions", "features"])];
pub(in crate::web) const COHORTS: &[Param] = &[
    Param::one_of(
        "cohorts",
        "Who is in a cohort: whoever was first seen in its step (`first`), or was there in it (`recurring`).",
        &["first", "recurring"],
    ),
    Param::one_of("back", "When somebody counts as back: in exactly that step, or in it or any later one.", &["on", "on_or_after"]),
];
pub(in crate::web) const OTHER: &[Param] = &[
    Param::like("other_from", MOMENT, "Where the period compared with begins; the period before `from` or `days` if absent."),
    Param::like("other_to", MOMENT, "The day or moment before which it ends."),
];
pub(in crate::web) const LIST: &str = "list";

/// Which list of an answer with several is wanted as CSV.
pub(in crate::web) const fn list(names: &'static [&'static str]) -> Param {
    Param::one_of(LIST, "Of CSV: which list of the answer; the first of these if absent.", names)
}

/// What only pages know: their usual range is not all time, and they compare.
pub(in crate::web) const PAGE: &[Param] = &[
    Param::one_of("range", "All time; the last 30 days if no range is given.", &["all"]),
    Param::one_of("compare", "Without the period before.", &["off"]),
];
/// By what a table of a page is sorted; what is no column of it is passed over.
pub(in crate::web) const SORT: &[Param] =
    &[Param::text("sort", "The panel, and a column of its table: `users:-Actions`; `-` is downwards.")];
/// Whom or what a page is about; a parameter and not a part of the path, since ids may be anything.
pub(in crate::web) const ID: &[Param] = &[Param::text("id", "The id of whom or what the page is about.")];

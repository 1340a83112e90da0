//! What becomes of months that are old enough: put away, given up, forgotten.

use std::path::PathBuf;

use jiff::{Span, Timestamp, tz::Offset};
use serde::{Deserialize, Serialize};

use crate::{
    clock::Millis,
    error::{Error, ErrorKind},
};

/// How long what was recorded is kept; part of [`Config`](crate::Config). Nothing goes by default.
///
/// Each is a length of time of days, weeks, months or years, such as `90d`, `13 months` or `2y`, counted from the end of a UTC month. A
/// month goes as a whole; what goes is looked for once a day by whoever records.
///
/// A clock that is wrong for a while takes nothing away: what goes is what was old enough a day before already, by a look at the clock
/// that still stands. So a month goes a day after it is old enough, and nothing goes within a day of the first start. A clock that is ahead
/// for longer than a day is believed.
///
/// ```
/// use tower_analytics::{Analytics, Config};
///
/// let mut config = Config::default();
/// config.retention.archive_after = Some("90d".to_owned());
/// config.retention.drop_raw_after = Some("13 months".to_owned());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetentionRules {
    /// After this the raw hits of a month are compressed and put away; its counts stay. Defaults to never.
    pub archive_after: Option<String>,
    /// Where they are put. Defaults to `archive` in the data directory.
    pub archive_to: Option<PathBuf>,
    /// After this the raw hits of a month are deleted, put away or not; its counts stay. Defaults to never.
    pub drop_raw_after: Option<String>,
    /// After this everything of a month is deleted, its counts too. Defaults to never.
    pub drop_all_after: Option<String>,
}

/// The same, understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aging {
    archive: Option<Age>,
    drop_raw: Option<Age>,
    drop_all: Option<Age>,
}

/// What a month's age brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Archive,
    DropRaw,
    DropAll,
}

impl Fate {
    /// What was done, for people and programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Archive => "archived",
            Self::DropRaw => "raw hits dropped",
            Self::DropAll => "dropped with its counts",
        }
    }
}

impl RetentionRules {
    /// Whether something goes at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.archive_after.is_none() && self.drop_raw_after.is_none() && self.drop_all_after.is_none()
    }

    /// The same, wherever whoever reads them stands.
    pub(crate) fn absolute(&self) -> Result<Self, Error> {
        let archive_to = self
            .archive_to
            .as_deref()
            .map(std::path::absolute)
            .transpose()
            .map_err(|error| Error::new(ErrorKind::Config, "retention.archive_to must be a path").with_source(error))?;
        Ok(Self { archive_to, ..self.clone() })
    }

    /// All that is wrong with them.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let named =
            [("archive_after", &self.archive_after), ("drop_raw_after", &self.drop_raw_after), ("drop_all_after", &self.drop_all_after)];
        let mut ages = Vec::new();
        for (name, text) in named {
            match text.as_deref().map(Age::parse) {
                Some(Ok(age)) => ages.push((name, age)),
                Some(Err(error)) => faults.push(format!("retention.{name}: {error}")),
                None => {}
            }
        }
        for pair in ages.windows(2) {
            let [(first, age), (then, later)] = pair else { continue };
            if age.before(REFERENCE) < later.before(REFERENCE) {
                faults.push(format!("retention.{first} must not be longer than retention.{then}: there would be nothing left for it"));
            }
        }
        if self.archive_to.is_some() && self.archive_after.is_none() {
            faults.push("retention.archive_to says where to, and retention.archive_after does not say when".to_owned());
        }
        faults
    }

    pub(crate) fn understood(&self) -> Result<Aging, Error> {
        let faults = self.faults();
        if !faults.is_empty() {
            return Err(Error::new(ErrorKind::Config, faults.join("; ")));
        }
        let age = |text: &Option<String>| text.as_deref().map(Age::parse).transpose();
        Ok(Aging { archive: age(&self.archive_after)?, drop_raw: age(&self.drop_raw_after)?, drop_all: age(&self.drop_all_after)? })
    }
}

impl Aging {
    /// What is to become of a month that ended then.
    pub(crate) fn fate(&self, end: Millis, now: Millis) -> Option<Fate> {
        let is_due = |age: &Option<Age>| age.as_ref().is_some_and(|age| end <= age.before(now));
        match () {
            () if is_due(&self.drop_all) => Some(Fate::DropAll),
            () if is_due(&self.drop_raw) => Some(Fate::DropRaw),
            () => is_due(&self.archive).then_some(Fate::Archive),
        }
    }
}

/// By which lengths are compared that have no fixed one: 2026-01-01.
const REFERENCE: Millis = 1_767_225_600_000;

/// A length of time of whole days or more.
#[derive(Clone, Debug)]
struct Age(Span);

impl Age {
    fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let message = format!("{text:?} is no length of time of a day or more: say \"90d\", \"13 months\" or \"2 years\"");
            Error::new(ErrorKind::Config, message)
        };
        let span: Span = text.trim().parse().map_err(|error: jiff::Error| wrong().with_source(error))?;
        let below_a_day = span.get_hours() != 0
            || span.get_minutes() != 0
            || span.get_seconds() != 0
            || span.get_milliseconds() != 0
            || span.get_microseconds() != 0
            || span.get_nanoseconds() != 0;
        match span.is_positive() && !below_a_day {
            true => Ok(Self(span)),
            false => Err(wrong()),
        }
    }

    /// The moment so long before; the beginning of all time if there is none.
    fn before(&self, now: Millis) -> Millis {
        let now = Timestamp::from_millisecond(now).ok().map(|now| Offset::UTC.to_datetime(now));
        let then = now.and_then(|now| Offset::UTC.to_timestamp(now.checked_sub(self.0).ok()?).ok());
        then.map_or(Millis::MIN, Timestamp::as_millisecond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn rules(archive: &str, raw: &str, all: &str) -> RetentionRules {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        RetentionRules { archive_after: some(archive), archive_to: None, drop_raw_after: some(raw), drop_all_after: some(all) }
    }

    #[test]
    fn lengths_are_counted_back_by_the_calendar() {
        let now = at("2026-03-31T12:00:00Z");
        for (text, then) in [
            ("90d", "2025-12-31T12:00:00Z"),
            ("90 days", "2025-12-31T12:00:00Z"),
            ("1 month", "2026-02-28T12:00:00Z"),
            ("13 months", "2025-02-28T12:00:00Z"),
            ("2y", "2024-03-31T12:00:00Z"),
            ("1w", "2026-03-24T12:00:00Z"),
        ] {
            assert_eq!(Age::parse(text).unwrap().before(now), at(then), "{text}");
        }
        assert_eq!(Age::parse("19000 years").unwrap().before(now), Millis::MIN);
    }

    #[test]
    fn what_is_no_length_of_days_is_refused_with_one_that_is() {
        for text in ["", "90", "soon", "-90d", "90d ago", "0d", "36h", "1d 1h", "5m"] {
            let error = Age::parse(text).unwrap_err().to_string();
            assert!(error.contains("\"13 months\""), "{text}: {error}");
        }
    }

    #[test]
    fn the_farthest_rule_that_is_due_counts() {
        let rules = rules("90d", "13 months", "2 years").understood().unwrap();
        let now = at("2026-11-26T00:00:00Z");
        for (end, fate) in [
            ("2026-11-01", None),
            ("2026-09-01", None),
            ("2026-08-01", Some(Fate::Archive)),
            ("2025-11-01", Some(Fate::Archive)),
            ("2025-10-01", Some(Fate::DropRaw)),
            ("2024-12-01", Some(Fate::DropRaw)),
            ("2024-11-01", Some(Fate::DropAll)),
        ] {
            assert_eq!(rules.fate(at(&format!("{end}T00:00:00Z")), now), fate, "{end}");
        }
    }

    #[test]
    fn rules_that_contradict_each_other_are_said_all_at_once() {
        let mut wrong = rules("2 years", "13 months", "1d");
        assert_eq!(wrong.faults().len(), 2, "{:?}", wrong.faults());
        wrong.drop_all_after = Some("never".to_owned());
        wrong.archive_after = None;
        wrong.archive_to = Some("elsewhere".into());
        let faults = wrong.faults().join("\n");
        assert!(faults.contains("retention.drop_all_after: \"never\"") && faults.contains("does not say when"), "{faults}");
        assert!(RetentionRules::default().faults().is_empty() && RetentionRules::default().is_empty());
        assert!(rules("90d", "90d", "").faults().is_empty());
    }
}

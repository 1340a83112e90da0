use std::time::SystemTime;

use crate::{
    clock::{Millis, to_millis},
    report::Ask,
    web::{
        api::{
            Problem, Query,
            params::{FILTERS, PAGE, Param, RANGE, SORT, ZONE},
        },
        format,
        links::Links,
    },
    zone::{Day, Zone, date, parse_day},
};

/// What pages show unless something else is said.
const USUAL_DAYS: &str = "30";
/// What goes along from page to page.
pub(super) const COMMON: &[&[Param]] = &[PAGE, RANGE, ZONE, FILTERS];
pub(super) type Pair = (String, String);

/// What the address of a page says: the range, the zone, the filters. Every link comes from here.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) links: Links,
    /// Below the base path.
    pub(super) path: &'static str,
    pub(super) pairs: Vec<Pair>,
    query: Query,
    /// Of the reporting days.
    zone: Zone,
    /// In which times are told.
    tz: Zone,
    now: SystemTime,
}

/// A filter that is on.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// To the same page without it.
    pub(super) off: String,
}

impl View {
    pub(super) fn new(
        links: Links,
        path: &'static str,
        own: &[&[Param]],
        mut pairs: Vec<Pair>,
        zone: Zone,
        now: SystemTime,
    ) -> Result<Self, Problem> {
        // A form sends its empty fields too.
        pairs.retain(|(name, value)| !value.is_empty() || FILTERS.iter().any(|param| param.name == name && name != "status"));
        let allowed: Vec<&[Param]> = COMMON.iter().chain([&SORT]).chain(own).copied().collect();
        let query = Query::new(pairs.clone(), &allowed, String::new())?;
        // What is wrong in it is said once, for the whole page.
        query.ask()?;
        if query.get("range").is_some() && ["days", "from", "to"].iter().any(|name| query.get(name).is_some()) {
            return Err(Problem::wrong("range", "range=all is all time: give it without days, from and to"));
        }
        let tz = query.get("tz").map_or_else(|| Ok(zone.clone()), Zone::new)?;
        Ok(Self { links, path, pairs, query, zone, tz, now })
    }

    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    pub(super) fn query(&self) -> &Query {
        &self.query
    }

    pub(super) fn now(&self) -> SystemTime {
        self.now
    }

    /// The zone in which times are told.
    pub(super) fn tz(&self) -> &Zone {
        &self.tz
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The question's range, and of the filters those that it takes.
    pub(super) fn ask(&self, takes: &[&[Param]]) -> Result<Ask, Problem> {
        Query::new(self.asked(takes), takes, String::new())?.ask()
    }

    /// The same of the period before, as long; none for all time, or if it is not wanted.
    pub(super) fn before(&self, takes: &[&[Param]]) -> Option<Result<Ask, Problem>> {
        let (from, to) = self.days().filter(|_| self.compares())?;
        let length = to - from;
        let ask = self.ask(takes).and_then(|ask| {
            let ask = ask.from(&text(from - length)).and_then(|ask| ask.to(&text(from)));
            Ok(ask?)
        });
        Some(ask)
    }

    pub(super) fn compares(&self) -> bool {
        self.query.get("compare").is_none()
    }

    /// Whether the range has an end that is still to come.
    pub(super) fn goes_on(&self) -> bool {
        match self.query.get("to") {
            Some(to) => parse_day(to).is_some_and(|to| to > self.today()),
            None => true,
        }
    }

    /// The first day and the one after the last, if the range is made of days and has a beginning.
    fn days(&self) -> Option<(Day, Day)> {
        if self.query.get("range").is_some() {
            return None;
        }
        let end = self.today() + 1;
        match (self.query.get("from"), self.query.get("to")) {
            (None, None) => Some((end - self.query.get("days").unwrap_or(USUAL_DAYS).parse::<Day>().ok()?, end)),
            (Some(from), to) => Some((parse_day(from)?, to.map_or(Some(end), parse_day)?)),
            (None, Some(_)) => None,
        }
    }

    fn today(&self) -> Day {
        self.zone.day_of(self.millis())
    }

    fn millis(&self) -> Millis {
        to_millis(self.now)
    }

    /// The first and the last day, for people.
    pub(super) fn dates(&self) -> Option<String> {
        let (from, to) = self.days()?;
        Some(format::dates(date(from)?, date(to - 1)?))
    }

    /// `7`, `30`, `90`, `all`, or nothing for dates.
    pub(super) fn range(&self) -> &str {
        match (self.query.get("range"), self.query.get("from").or(self.query.get("to"))) {
            (Some(_), _) => "all",
            (None, Some(_)) => "",
            (None, None) => self.query.get("days").unwrap_or(USUAL_DAYS),
        }
    }

    /// What the API is to be asked for the same: there, all time is what nothing says.
    pub(super) fn asked(&self, takes: &[&[Param]]) -> Vec<Pair> {
        let takes = |name: &str| takes.iter().copied().flatten().any(|param| param.name == name);
        let mut pairs: Vec<Pair> = self.pairs.iter().filter(|(name, _)| takes(name)).cloned().collect();
        let says = ["range", "days", "from", "to"].iter().any(|name| self.query.get(name).is_some());
        if !says && takes("days") {
            pairs.insert(0, ("days".to_owned(), USUAL_DAYS.to_owned()));
        }
        pairs
    }

    pub(super) fn chips(&self) -> Vec<Chip> {
        let on = FILTERS.iter().filter_map(|param| Some((param.name, self.query.get(param.name)?)));
        on.map(|(name, value)| Chip { name, value: value.to_owned(), off: self.without(name) }).collect()
    }
}

fn text(day: Day) -> String {
    date(day).map(|date| date.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn view(query: &str) -> Result<View, Problem> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (parts, ()) = http::Request::get("/analytics").body(()).unwrap().into_parts();
        // 2026-11-26 10:00 UTC
        let now = from_millis(1_795_687_200_000);
        View::new(Links::of(&parts, "/analytics", None), "", &[], pairs.collect(), Zone::new("UTC").unwrap(), now)
    }

    #[test]
    fn a_page_is_of_thirty_days_and_the_api_is_told_so() {
        let view = view("").unwrap();
        assert_eq!(view.range(), "30");
        assert_eq!(view.api("api/stats", &[RANGE, FILTERS]), "/analytics/api/stats?days=30");
        assert_eq!(view.dates().unwrap(), "28 Oct – 26 Nov 2026");
        assert_eq!(super::tests::view("range=all").unwrap().api("api/stats", &[RANGE, FILTERS]), "/analytics/api/stats");
    }

    #[test]
    fn links_keep_what_they_do_not_change() {
        let view = view("days=7&platform=a b&&tz=UTC").unwrap();
        assert_eq!(view.with("version", "<&>"), "/analytics?days=7&platform=a%20b&tz=UTC&version=%3C%26%3E");
        assert_eq!(view.without("platform"), "/analytics?days=7&tz=UTC");
        assert_eq!(view.ranged("all"), "/analytics?platform=a%20b&tz=UTC&range=all");
        assert_eq!(view.page("users"), "/analytics/users?days=7&platform=a%20b&tz=UTC");
        assert_eq!(view.chips().len(), 1);
    }

    #[test]
    fn the_period_before_is_as_long_and_ends_where_this_one_begins() {
        let before = |query: &str| view(query).unwrap().before(&[RANGE, FILTERS]).map(Result::unwrap);
        let expected = Ask::all_time().from("2026-11-13").unwrap().to("2026-11-20").unwrap();
        assert_eq!(format!("{:?}", before("days=7")), format!("{:?}", Some(expected)));
        for without in ["range=all", "compare=off", "to=2026-11-01", "from=2026-11-01T00:00:00Z"] {
            assert!(before(without).is_none(), "{without}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_empty_fields_are_passed_over() {
        for wrong in ["days=0", "dayz=3", "from=yesterday", "status=999999", "range=all&days=3", "tz=Mars/Base"] {
            assert!(view(wrong).is_err(), "{wrong}");
        }
        assert!(view("from=&to=&tz=").unwrap().chips().is_empty());
        // The platform that is not known is a platform.
        assert_eq!(view("platform=").unwrap().chips().len(), 1);
    }
}

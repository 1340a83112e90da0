use super::{
    params::{Param, USUAL_IDLE_DAYS},
    problem::Problem,
};
use crate::{
    error::Error,
    report::{Ask, Back, Bots, Cohorts, Interval, Page, Power, USUAL_LIMIT, UserOrder},
};

/// What was asked, by names that the route knows.
#[derive(Clone, Debug, Default)]
pub(in crate::web) struct Query {
    values: Vec<(String, String)>,
    /// The part of the path that names one thing.
    pub(super) id: String,
}

impl Query {
    /// A name that is not known is an error: a misspelt filter that is passed over would give a wrong answer.
    pub(in crate::web) fn new(pairs: Vec<(String, String)>, allowed: &[&[Param]], id: String) -> Result<Self, Problem> {
        let known = || allowed.iter().copied().flatten();
        for (place, (name, _)) in pairs.iter().enumerate() {
            if !known().any(|param| param.name == name) {
                let names: Vec<&str> = known().map(|param| param.name).collect();
                let allowed = if names.is_empty() { "there are none here".to_owned() } else { format!("allowed are {}", names.join(", ")) };
                return Err(Problem::wrong(name, format!("there is no parameter {name:?}: {allowed}")));
            }
            known().filter(|param| param.name == name).try_for_each(|param| param.check(&pairs[place].1))?;
            if pairs[..place].iter().any(|(other, _)| other == name) {
                return Err(Problem::wrong(name, format!("{name} is given twice")));
            }
        }
        Ok(Self { values: pairs, id })
    }

    pub(in crate::web) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A number, which was checked against what the parameter allows.
    fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    /// What a name stands for; the parameter allows no other.
    fn one_of<T: Copy>(&self, name: &str, values: &[(&str, T)]) -> Option<T> {
        let text = self.get(name)?;
        values.iter().find(|(value, _)| *value == text).map(|(_, value)| *value)
    }

    pub(in crate::web) fn ask(&self) -> Result<Ask, Problem> {
        let (days, from, to) = (self.number("days"), self.get("from"), self.get("to"));
        if days.is_some() && (from.is_some() || to.is_some()) {
            return Err(Problem::wrong("days", "days and from/to are two ways to say the range: give one of them"));
        }
        let mut ask = days.map_or_else(Ask::all_time, Ask::last_days);
        ask = range(ask, ("from", from), ("to", to))?;
        if let Some(zone) = self.get("tz") {
            ask = ask.time_zone(zone).map_err(|error| wrong("tz", &error))?;
        }
        if let Some(status) = self.get("status") {
            ask = ask.status(status).map_err(|error| wrong("status", &error))?;
        }
        let mut set = |name: &str, filter: fn(Ask, &str) -> Ask| {
            if let Some(value) = self.get(name) {
                ask = filter(std::mem::take(&mut ask), value);
            }
        };
        set("platform", Ask::platform);
        set("version", Ask::version);
        set("endpoint", Ask::endpoint);
        set("feature", Ask::feature);
        set("user", Ask::user);
        ask = match (self.get("first_from"), self.get("first_to")) {
            (None, None) => ask,
            (Some(from), Some(to)) => ask.first_seen(from, to).map_err(|error| wrong("first_from", &error))?,
            _ => return Err(Problem::wrong("first_from", "give first_from and first_to together")),
        };
        let bots = self.one_of("bots", &[("exclude", Bots::Exclude), ("only", Bots::Only), ("include", Bots::Include)]);
        Ok(ask.bots(bots.unwrap_or_default()))
    }

    /// The period to compare with, if one was named.
    pub(in crate::web) fn other(&self) -> Result<Option<Ask>, Problem> {
        let (from, to) = (self.get("other_from"), self.get("other_to"));
        match (from, to) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => range(Ask::all_time(), ("other_from", from), ("other_to", to)).map(Some),
            (from, _) => {
                let missing = if from.is_some() { "other_to" } else { "other_from" };
                Err(Problem::wrong(missing, "a period to compare with has a beginning and an end: give other_from and other_to"))
            }
        }
    }

    /// So many rows at most, if it was said.
    pub(in crate::web) fn limit(&self) -> Option<usize> {
        self.number("limit").map(|limit| limit as usize)
    }

    pub(in crate::web) fn page(&self) -> Result<Page, Problem> {
        let page = Page::first(self.limit().unwrap_or(USUAL_LIMIT));
        match self.get("cursor") {
            Some(cursor) => page.after(cursor).map_err(|error| wrong("cursor", &error)),
            None => Ok(page),
        }
    }

    pub(in crate::web) fn interval(&self) -> Option<Interval> {
        let all = [Interval::Quarter, Interval::Hour, Interval::Day, Interval::Week, Interval::Month];
        self.one_of("interval", &all.map(|interval| (interval.name(), interval)))
    }

    pub(in crate::web) fn order(&self) -> UserOrder {
        let orders = [
            ("first_seen", UserOrder::FirstSeen),
            ("last_seen", UserOrder::LastSeen),
            ("actions", UserOrder::Actions),
            ("sessions", UserOrder::Sessions),
        ];
        self.one_of("order", &orders).unwrap_or_default()
    }

    pub(in crate::web) fn idle_days(&self) -> u32 {
        self.number("idle_days").unwrap_or(USUAL_IDLE_DAYS)
    }

    pub(in crate::web) fn power(&self) -> Power {
        self.one_of("by", &[Power::Actions, Power::Features].map(|by| (by.name(), by))).unwrap_or_default()
    }

    pub(in crate::web) fn cohorts(&self) -> (Cohorts, Back) {
        let cohorts = self.one_of("cohorts", &[Cohorts::First, Cohorts::Recurring].map(|cohorts| (cohorts.name(), cohorts)));
        let back = self.one_of("back", &[Back::On, Back::OnOrAfter].map(|back| (back.name(), back)));
        (cohorts.unwrap_or_default(), back.unwrap_or_default())
    }
}

fn range(mut ask: Ask, (from_name, from): (&str, Option<&str>), (to_name, to): (&str, Option<&str>)) -> Result<Ask, Problem> {
    if let Some(from) = from {
        ask = ask.from(from).map_err(|error| wrong(from_name, &error))?;
    }
    if let Some(to) = to {
        ask = ask.to(to).map_err(|error| wrong(to_name, &error))?;
    }
    Ok(ask)
}

fn wrong(parameter: &str, error: &Error) -> Problem {
    Problem::wrong(parameter, error.to_string())
}

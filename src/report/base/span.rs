use std::ops::Range;

use crate::{
    clock::Millis,
    report::base::ask::{Ask, Edge},
    zone::{Day, Zone},
};

/// A range of time, cut into the reporting days that lie in it whole and what is left at its edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) struct Span {
    pub(in crate::report) at: Range<Millis>,
    /// Days of which nothing is missing.
    pub(in crate::report) days: Range<Day>,
    /// Every day that has a part in it.
    pub(in crate::report) touched: Range<Day>,
}

impl Span {
    pub(in crate::report) fn of_days(zone: &Zone, days: Range<Day>) -> Self {
        let days = days.start..days.end.max(days.start);
        Self { at: zone.start_of(days.start)..zone.start_of(days.end), touched: days.clone(), days }
    }

    pub(in crate::report) fn of(zone: &Zone, at: Range<Millis>) -> Self {
        let at = at.start..at.end.max(at.start);
        let (first, last) = (zone.day_of(at.start), zone.day_of(at.end));
        let start = if zone.start_of(first) < at.start { first + 1 } else { first };
        let touched = first..if zone.start_of(last) < at.end { last + 1 } else { last.max(first) };
        Self { days: start..last.max(start), touched, at }
    }

    /// What lies before and after the whole days.
    pub(in crate::report) fn edges(&self, zone: &Zone) -> Vec<Range<Millis>> {
        if self.days.is_empty() {
            return if self.at.is_empty() { Vec::new() } else { vec![self.at.clone()] };
        }
        let (first, end) = (zone.start_of(self.days.start), zone.start_of(self.days.end));
        [self.at.start..first, end..self.at.end].into_iter().filter(|edge| !edge.is_empty()).collect()
    }

    /// What is asked about. `all` is what there is.
    pub(in crate::report) fn asked(ask: &Ask, zone: &Zone, now: Millis, all: Range<Day>) -> Self {
        let today = zone.day_of(now);
        if let Some(days) = ask.last_days {
            return Self::of_days(zone, (today + 1).saturating_sub_unsigned(days)..today + 1);
        }
        match (ask.from, ask.to) {
            (None, None) => Self::of_days(zone, all),
            (from, to) if !matches!(from, Some(Edge::At(_))) && !matches!(to, Some(Edge::At(_))) => {
                let day = |edge: Option<Edge>, or| if let Some(Edge::Day(day)) = edge { day } else { or };
                Self::of_days(zone, day(from, all.start)..day(to, all.end))
            }
            (from, to) => {
                let at = |edge: Option<Edge>, or| match edge {
                    Some(Edge::At(at)) => at,
                    Some(Edge::Day(day)) => zone.start_of(day),
                    None => zone.start_of(or),
                };
                Self::of(zone, at(from, all.start)..at(to, all.end))
            }
        }
    }

    /// The period before, as long, up to the same time of day. None if it has no beginning of its own.
    pub(in crate::report) fn before(&self, ask: &Ask, zone: &Zone, now: Millis) -> Option<Self> {
        if ask.last_days.is_none() && ask.from.is_none() {
            return None;
        }
        if self.days != self.touched || self.days.is_empty() {
            return Some(Self::of(zone, self.at.start - (self.at.end - self.at.start)..self.at.start));
        }
        let length = self.days.end - self.days.start;
        let days = self.days.start - length..self.days.start;
        let today = zone.day_of(now);
        if !self.days.contains(&today) {
            return Some(Self::of_days(zone, days));
        }
        let same = zone.span_of(today - length);
        let end = (same.start + (now - zone.start_of(today))).min(same.end);
        Some(Self::of(zone, zone.start_of(days.start)..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;

    #[test]
    fn a_span_is_its_whole_days_and_its_edges() {
        let zone = Zone::new("Europe/Berlin").unwrap();
        let day = zone.start_of(20_000);
        for (from, to) in [(0, 48), (1, 48), (0, 47), (5, 43), (1, 23), (3, 3), (0, 24), (23, 25)] {
            let span = Span::of(&zone, day + from * HOUR..day + to * HOUR);
            let whole: Millis = span.days.clone().map(|day| zone.span_of(day)).map(|day| day.end - day.start).sum();
            let edges: Millis = span.edges(&zone).iter().map(|edge| edge.end - edge.start).sum();
            assert_eq!(whole + edges, (to - from) * HOUR, "{from} to {to}: {span:?}");
            assert!(span.touched.start <= span.days.start && span.days.end <= span.touched.end.max(span.days.start), "{span:?}");
        }
    }

    #[test]
    fn the_period_before_ends_at_the_same_time_of_day() {
        let zone = Zone::new("UTC").unwrap();
        let now = zone.start_of(20_000) + 9 * HOUR;
        let ask = Ask::last_days(7);
        let span = Span::asked(&ask, &zone, now, 0..1);
        assert_eq!(span.days, 19_994..20_001);
        let before = span.before(&ask, &zone, now).unwrap();
        assert_eq!(before.at, zone.start_of(19_987)..zone.start_of(19_993) + 9 * HOUR);
        assert_eq!(Span::asked(&Ask::all_time(), &zone, now, 0..1).before(&Ask::all_time(), &zone, now), None);
    }
}

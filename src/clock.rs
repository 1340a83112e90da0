//! Time is a parameter: one [`Clock`], read by the layer and the writer alike.

use std::{
    cell::Cell,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Milliseconds since 1970 in UTC, as rows and hits carry them.
pub(crate) type Millis = i64;

pub(crate) const DAY_MS: Millis = 86_400_000;

/// Where the time comes from: the system, or a test's hand.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_analytics::Clock;
///
/// let clock = Clock::manual(SystemTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(60));
/// ```
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock; the default.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until [`advance`](Self::advance) or [`set`](Self::set) moves it. Clones move together.
    #[must_use]
    pub fn manual(start: SystemTime) -> Self {
        Self(Some(Arc::new(AtomicI64::new(to_millis(start)))))
    }

    /// The time, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        from_millis(self.millis())
    }

    /// Moves a manual clock on; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Some(at) = &self.0 {
            at.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
        }
    }

    /// Sets a manual clock, backwards too; the system's clock is left alone.
    pub fn set(&self, to: SystemTime) {
        if let Some(at) = &self.0 {
            at.store(to_millis(to), Ordering::SeqCst);
        }
    }

    pub(crate) fn millis(&self) -> Millis {
        match &self.0 {
            None => to_millis(SystemTime::now()),
            Some(at) => at.load(Ordering::SeqCst),
        }
    }

    /// The time at a tick of just now. The system's clock is asked only if this thread did so some milliseconds ago;
    /// in between, the tick says how much later it is.
    pub(crate) fn millis_at(&self, tick: Tick) -> Millis {
        const FRESH: u64 = 5 * TICKS_PER_MILLI;
        thread_local!(static ASKED: Cell<Option<(Tick, Millis)>> = const { Cell::new(None) });
        if self.0.is_some() {
            return self.millis();
        }
        match ASKED.get() {
            Some((asked, wall)) if tick >= asked && tick.0 - asked.0 < FRESH => wall + ((tick.0 - asked.0) / TICKS_PER_MILLI) as Millis,
            _ => {
                let wall = self.millis();
                ASKED.set(Some((tick, wall)));
                wall
            }
        }
    }

    /// A point on a line that never steps back, for durations.
    pub(crate) fn tick(&self) -> Tick {
        match &self.0 {
            None => Tick(COUNTER.delta_as_nanos(0, COUNTER.raw())),
            Some(at) => Tick((at.load(Ordering::SeqCst).max(0) as u64).saturating_mul(TICKS_PER_MILLI)),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Clock::manual" } else { "Clock::system" })
    }
}

/// Nanoseconds since some moment: a number is cheaper to keep and to subtract than an `Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

const TICKS_PER_MILLI: u64 = 1_000_000;

/// The processor's own counter where it is fit for that, else the system's clock: three readings a request are
/// what the layer spends most on, and this halves them.
static COUNTER: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);

impl Tick {
    /// The nanoseconds from here to there, none if that lies before.
    pub(crate) fn until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

pub(crate) fn to_millis(time: SystemTime) -> Millis {
    // Far outside of all months, and with room for every sum.
    const FAR: u128 = 1 << 48;
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_millis().min(FAR) as Millis,
        Err(before) => -(before.duration().as_millis().min(FAR) as Millis),
    }
}

pub(crate) fn from_millis(millis: Millis) -> SystemTime {
    let span = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { UNIX_EPOCH - span } else { UNIX_EPOCH + span }
}

/// A month of UTC, the unit raw rows are parted by. Ordered, printed as `202611`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a moment; `None` outside the years 1970 to 9998, where no clock of ours stands rightly.
    pub(crate) fn of(at: Millis) -> Option<Self> {
        let civil = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(at).ok()?);
        (1970..=9998).contains(&civil.year()).then(|| Self { year: civil.year(), month: civil.month() })
    }

    /// From its number, as [`number`](Self::number) gives it.
    #[cfg(feature = "sqlite")]
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        let (year, month) = (number / 100, number % 100);
        ((1970..=9998).contains(&year) && (1..=12).contains(&month)).then_some(Self { year: year as i16, month: month as i8 })
    }

    /// `202611`
    pub(crate) fn number(self) -> i64 {
        i64::from(self.year) * 100 + i64::from(self.month)
    }

    /// Its first millisecond.
    pub(crate) fn start(self) -> Millis {
        jiff::tz::Offset::UTC
            .to_timestamp(jiff::civil::date(self.year, self.month, 1).at(0, 0, 0, 0))
            .map_or(0, jiff::Timestamp::as_millisecond)
    }

    /// The first millisecond of the month after it.
    pub(crate) fn end(self) -> Millis {
        let next = if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { year: self.year, month: self.month + 1 } };
        next.start()
    }

    #[cfg(test)]
    pub(crate) fn contains(self, at: Millis) -> bool {
        (self.start()..self.end()).contains(&at)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.number())
    }
}

/// The UTC day of a moment, counted from 1970.
pub(crate) fn day_of(at: Millis) -> i64 {
    at.div_euclid(DAY_MS)
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_month_owns_its_first_and_last_millisecond_and_nothing_more() {
        for (text, number) in [
            ("2024-02-29T23:59:59.999Z", 202402),
            ("2024-03-01T00:00:00Z", 202403),
            ("2026-12-31T23:59:59.999Z", 202612),
            ("2027-01-01T00:00:00Z", 202701),
            ("2100-02-28T23:59:59.999Z", 210002),
            ("2100-03-01T00:00:00Z", 210003),
        ] {
            let month = Month::of(at(text)).unwrap();
            assert_eq!(month.number(), number, "{text}");
            assert!(month.contains(at(text)));
            assert!(!month.contains(month.end()) && month.contains(month.end() - 1) && !month.contains(month.start() - 1));
        }
    }

    #[test]
    fn leap_days_lie_in_their_month() {
        let month = |n| Month::from_number(n).unwrap();
        assert_eq!((month(202402).end() - month(202402).start()) / DAY_MS, 29);
        assert_eq!((month(202602).end() - month(202602).start()) / DAY_MS, 28);
        assert_eq!((month(200002).end() - month(200002).start()) / DAY_MS, 29);
    }

    #[test]
    fn clocks_gone_mad_have_no_month() {
        assert_eq!(Month::of(-1), None);
        assert_eq!(Month::of(i64::MAX), None);
        assert_eq!(Month::from_number(202613), None);
        assert_eq!(Month::from_number(-5), None);
    }

    #[test]
    fn days_count_from_1970_also_before_it() {
        assert_eq!((day_of(0), day_of(DAY_MS - 1), day_of(DAY_MS), day_of(-1)), (0, 0, 1, -1));
    }
}

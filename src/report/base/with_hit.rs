//! Sessions that have a hit of some kind, newest first: found from the newest raw row backwards, as far as somebody looks.

use roaring::RoaringBitmap;

use crate::{
    clock::DAY_MS,
    error::Error,
    report::base::{scan, view::View},
    store::{Context, MetaKey, PartView, meta_get, raw},
};

/// The sessions of a part that are known to have one.
#[derive(Default)]
pub(in crate::report) struct WithHit {
    found: RoaringBitmap,
    /// Rows that were not looked at yet.
    left: Option<(i64, i64)>,
    /// Sessions from this number on are known; they are numbered in the order of their first rows.
    known_from: u32,
    step: i64,
}

/// So many rows are looked at first, then twice as many each time: of what is frequent a page is found at once.
const FIRST_STEP: i64 = 64;

impl WithHit {
    /// Nothing was looked at yet.
    pub(in crate::report) fn begin(view: &View<'_, '_>, part: &PartView) -> Result<Self, Error> {
        let timeout = meta_get::<i64>(view.main(), MetaKey::SessionTimeout).context("read the session timeout")?.unwrap_or_default();
        // A hit may come somewhat late, and its session then begin before its first row.
        let from = view.span.at.start.saturating_sub(timeout.max(DAY_MS));
        let left = scan::row_range(view, part, &(from..i64::MAX)).context("read roll-ups")?;
        Ok(Self { left, known_from: u32::MAX, step: FIRST_STEP, ..Self::default() })
    }

    /// All of them.
    pub(in crate::report) fn all(view: &mut View<'_, '_>, part: &PartView) -> Result<Self, Error> {
        let mut all = Self::begin(view, part)?;
        all.step = i64::MAX;
        while all.look_further(view, part)? {}
        Ok(all)
    }

    pub(in crate::report) fn has(&self, session: u32) -> bool {
        self.found.contains(session)
    }

    /// Sessions below this number may have such a hit without it being known.
    pub(in crate::report) fn known_from(&self) -> u32 {
        self.known_from
    }

    /// Looks at older rows; `false` if there are none, and all is known.
    pub(in crate::report) fn look_further(&mut self, view: &mut View<'_, '_>, part: &PartView) -> Result<bool, Error> {
        let Some((first, last)) = self.left else {
            self.known_from = 0;
            return Ok(false);
        };
        // Of one person it is quick, through that one's sessions.
        let from = if view.filter.users.is_some() { first } else { first.max(last.saturating_sub(self.step - 1)) };
        let filter = view.filter.clone();
        scan::of_rows(view, part, (from, last), |row| {
            if filter.covers(row) {
                self.found.insert(row.session);
            }
        })?;
        if from == first {
            (self.left, self.known_from) = (None, 0);
            return Ok(false);
        }
        let opened = raw::first_opened(view.snapshot.raw(part.key)?, part.month, (from, last)).context("read raw hits")?;
        self.known_from = opened.map_or(self.known_from, |opened| opened.min(self.known_from));
        self.left = Some((first, from - 1));
        self.step = self.step.saturating_mul(2);
        Ok(true)
    }
}

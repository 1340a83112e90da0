use crate::hit::{Hit, Outcome};

/// Status, outcome and flags in one integer; commonest values below 2^15, so that SQLite keeps them in two bytes.
///
/// | bits | |
/// |---|---|
/// | 0-9 | status |
/// | 10-11 | 0 completed, 1 failed, 2 aborted |
/// | 12 | an action |
/// | 13 | opens its session |
/// | 14 | its time was made, by an import that knows only that of its session |
/// | 15-19 | gRPC status + 1 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed(pub(crate) i64);

impl Packed {
    pub(crate) const STATUS: i64 = 0x3ff;
    pub(crate) const ACTION: i64 = 1 << 12;
    pub(crate) const OPENS: i64 = 1 << 13;
    const SPREAD: i64 = 1 << 14;

    pub(crate) fn of(hit: &Hit) -> Self {
        let outcome = match hit.outcome() {
            Outcome::Completed => 0,
            Outcome::Failed => 1,
            Outcome::Aborted => 2,
        };
        let grpc = hit.grpc_status().map_or(0, |status| i64::from(status) + 1);
        let flag = |set: bool, bit: i64| if set { bit } else { 0 };
        let flags = flag(hit.is_action(), Self::ACTION) | flag(hit.opens_session(), Self::OPENS);
        Self(i64::from(hit.status()) & Self::STATUS | outcome << 10 | flags | grpc << 15)
    }

    pub(super) fn spread(self, spread: bool) -> Self {
        Self(if spread { self.0 | Self::SPREAD } else { self.0 })
    }

    pub(crate) fn status(self) -> u16 {
        (self.0 & Self::STATUS) as u16
    }

    pub(crate) fn outcome(self) -> Outcome {
        match self.0 >> 10 & 3 {
            0 => Outcome::Completed,
            1 => Outcome::Failed,
            _ => Outcome::Aborted,
        }
    }

    pub(crate) fn is_action(self) -> bool {
        self.0 & Self::ACTION != 0
    }

    pub(crate) fn opens(self) -> bool {
        self.0 & Self::OPENS != 0
    }

    pub(crate) fn is_aborted(self) -> bool {
        self.outcome() == Outcome::Aborted
    }

    /// Status 400 to 499; not what the client gave up.
    pub(crate) fn is_client_error(self) -> bool {
        (400..500).contains(&self.status()) && !self.is_aborted()
    }

    pub(crate) fn grpc_status(self) -> Option<u8> {
        (self.0 >> 15 & 0x1f).checked_sub(1).filter(|status| *status >= 0).map(|status| status as u8)
    }

    /// Status ≥ 500, failed, or a gRPC status that is not OK; not what the client gave up.
    pub(crate) fn is_error(self) -> bool {
        match self.outcome() {
            Outcome::Failed => true,
            Outcome::Aborted => false,
            Outcome::Completed => self.status() >= 500 || self.grpc_status().is_some_and(|status| status != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_back_as_it_went_in() {
        for status in [0, 200, 499, 599, 1023] {
            for outcome in [Outcome::Completed, Outcome::Failed, Outcome::Aborted] {
                for grpc in [None, Some(0), Some(16), Some(17)] {
                    let mut hit = Hit::new("GET", "/");
                    hit.set_status(status);
                    hit.set_outcome(outcome);
                    hit.facts.grpc = grpc;
                    hit.resolved.action = status % 2 == 0;
                    let packed = Packed::of(&hit);
                    assert_eq!((packed.status(), packed.outcome(), packed.grpc_status()), (status, outcome, grpc));
                    assert_eq!(packed.is_action(), status % 2 == 0);
                }
            }
        }
    }

    #[test]
    fn an_ordinary_hit_takes_two_bytes() {
        let mut hit = Hit::new("GET", "/");
        hit.resolved.action = true;
        hit.resolved.opens = true;
        assert!(Packed::of(&hit).0 < 1 << 15);
    }

    #[test]
    fn errors_are_failures_and_not_what_the_client_gave_up() {
        let error = |status, outcome, grpc| {
            let mut hit = Hit::new("GET", "/");
            hit.set_status(status);
            hit.set_outcome(outcome);
            hit.facts.grpc = grpc;
            Packed::of(&hit).is_error()
        };
        assert!(error(500, Outcome::Completed, None) && error(200, Outcome::Failed, None) && error(200, Outcome::Completed, Some(13)));
        assert!(!error(404, Outcome::Completed, None) && !error(499, Outcome::Aborted, None) && !error(200, Outcome::Completed, Some(0)));
    }
}

/// How far a part has come in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartState {
    Open,
    /// Complete: its totals stand, and its file is a plain one without a log beside it.
    Sealed,
    /// Its raw file was put away; its roll-ups stay.
    Archived,
    /// Its raw file was given up; its roll-ups stay.
    Dropped,
    /// Its raw file is not where it should be.
    Missing,
}

impl PartState {
    const ALL: [(Self, &str); 5] = [
        (Self::Open, "open"),
        (Self::Sealed, "sealed"),
        (Self::Archived, "archived"),
        (Self::Dropped, "dropped"),
        (Self::Missing, "missing"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("open", |(_, name)| name)
    }

    pub(super) fn from_name(name: &str) -> Self {
        Self::ALL.iter().find(|(_, known)| *known == name).map_or(Self::Open, |(state, _)| *state)
    }

    /// Whether there is a raw file to read.
    pub(crate) fn has_raw(self) -> bool {
        matches!(self, Self::Open | Self::Sealed)
    }

    /// Whether nothing is recorded into it any more.
    pub(in crate::store) fn is_closed(self) -> bool {
        matches!(self, Self::Archived | Self::Dropped)
    }
}

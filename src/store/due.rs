use super::{part::PartState, part_key::PartKey};
use crate::{
    aging::{Aging, Fate},
    clock::Millis,
};

/// What is to become of a part now, if something is.
pub(crate) fn due(aging: &Aging, key: PartKey, state: PartState, is_forgotten: bool, now: Millis) -> Option<Fate> {
    aging.fate(key.month.end(), now).filter(|fate| match fate {
        Fate::Archive => state.has_raw(),
        Fate::DropRaw => state != PartState::Dropped,
        Fate::DropAll => !is_forgotten,
    })
}

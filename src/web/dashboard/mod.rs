//! The pages. One page is one file here and one template of the same stem.

mod overview;

use super::host::Host;

pub(super) fn register(host: &mut Host) {
    overview::register(host);
}

//! Work on what is stored: this process does it where nobody records, and asks whoever does where somebody does.

use std::{path::Path, time::Duration};

use super::{place::Place, progress::Progress};
use crate::{
    analytics::Analytics,
    builder,
    config::Config,
    error::{Error, ErrorKind},
    import::Setting,
    maintenance::Maintenance,
};

/// So long the last batch and the files may take to close.
const CLOSING: Duration = Duration::from_secs(60);

/// Opens the directory, does the work with a word now and then on how far it has come, and closes it again. A directory in which
/// nothing was recorded stays as it is.
pub(super) fn at_work<T>(place: &Place, work: impl FnOnce(&Maintenance, &mut dyn FnMut(u64, u64)) -> Result<T, Error>) -> Result<T, Error> {
    let data = place.settings()?.data()?.to_owned();
    if !data.join("analytics.db").exists() {
        let message = format!("nothing has been recorded in {}: it holds no analytics.db, check --data", data.display());
        return Err(Error::new(ErrorKind::Directory, message));
    }
    at_work_anew(place, work)
}

/// Before the work begins: what it would be, by the service's settings. Nothing is opened for it.
pub(super) fn look_ahead<T>(
    place: &Place,
    look: impl FnOnce(&Setting, &Path, &mut dyn FnMut(u64, u64)) -> Result<T, Error>,
) -> Result<T, Error> {
    let settings = place.settings()?;
    let config = builder::as_kept(settings.config.clone())?;
    let bar = Progress::new("Reading", false);
    look(&builder::import_setting(&config), settings.data()?, &mut |done, total| bar.tell(done, total))
}

/// The same, and a directory in which nothing was recorded is made.
pub(super) fn at_work_anew<T>(
    place: &Place,
    work: impl FnOnce(&Maintenance, &mut dyn FnMut(u64, u64)) -> Result<T, Error>,
) -> Result<T, Error> {
    let analytics = open(place)?;
    let bar = Progress::new("Working", false);
    let result = work(&analytics.maintenance(), &mut |done, total| bar.tell(done, total));
    drop(bar);
    // What failed first is what people want to hear.
    let closed = analytics.shutdown(CLOSING).or_else(|error| match error.kind() {
        // Another process records: there was nothing to close here.
        ErrorKind::Locked => Ok(()),
        _ => Err(error),
    });
    result.and_then(|result| closed.map(|()| result))
}

/// As a recorder that records nothing, with the settings of the service whose directory it is.
fn open(place: &Place) -> Result<Analytics, Error> {
    let settings = place.settings()?;
    let data = settings.data()?;
    let config = builder::as_kept(settings.config.clone())?;
    Analytics::builder(data).config(Config { require_writer: false, ..config }).without_tending().build()
}

use std::path::PathBuf;

use super::Maintenance;
use crate::{
    error::Error,
    import::{Asked, DurationUnit, Report},
    store::Kind,
};

impl Maintenance {
    /// Stores what the panel recorded that came before us: its JSON files, the SQLite file of its later generation, or directories
    /// with such. Everything is read and checked first; it is seen all at once, at the end. What an earlier import brought is
    /// known again, so that the same files can be imported twice. Gives the bytes that were read, from time to time, with how many
    /// there are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Import`](crate::ErrorKind::Import) with the file, the record and its place if one cannot be read, or what keeps it from being stored;
    /// nothing is there of it then.
    pub fn import_legacy(&self, paths: impl IntoIterator<Item = PathBuf>, progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
        self.import(Asked::Legacy { paths: paths.into_iter().collect() }, progress)
    }

    /// As [`import_legacy`](Self::import_legacy), but nothing is stored: what would be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Import`](crate::ErrorKind::Import) as there.
    pub fn check_legacy(&self, paths: impl IntoIterator<Item = PathBuf>, progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
        let (directory, setting) = &self.importing;
        Asked::Legacy { paths: paths.into_iter().collect() }.absolute()?.check(setting, directory, progress)
    }

    /// Stores the hits of access logs of NGINX or Apache, in the common or the combined format, packed or not, so that there is
    /// history from the first day on. `remote_user` is the user, else address and user agent tell visitors apart, neither of which is
    /// kept. Paths become routes by templates such as `/items/{id}`, those of the settings if none are given; what none covers is
    /// `(unmatched)`. Lines that cannot be read are left out and counted; a log that has grown since an earlier import is read from there on,
    /// and a last line without an end, which is still being written, once it has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Import`](crate::ErrorKind::Import) if a file cannot be read or more than half of its lines are of another format, or what keeps it from
    /// being stored; nothing is there of it then.
    pub fn import_access_log(
        &self,
        files: impl IntoIterator<Item = PathBuf>,
        routes: &[&str],
        progress: impl FnMut(u64, u64),
    ) -> Result<Report, Error> {
        self.import_log(files, routes, None, progress)
    }

    /// As [`import_access_log`](Self::import_access_log), of logs whose last field says how long each request took, such as Apache's
    /// combined format with `%D` at its end. A line that ends with something else counts without a duration, and the report says how many do.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn import_timed_access_log(
        &self,
        files: impl IntoIterator<Item = PathBuf>,
        routes: &[&str],
        unit: DurationUnit,
        progress: impl FnMut(u64, u64),
    ) -> Result<Report, Error> {
        self.import_log(files, routes, Some(unit), progress)
    }

    fn import_log(
        &self,
        files: impl IntoIterator<Item = PathBuf>,
        routes: &[&str],
        duration: Option<DurationUnit>,
        progress: impl FnMut(u64, u64),
    ) -> Result<Report, Error> {
        let routes = routes.iter().map(|&route| route.to_owned()).collect();
        self.import(Asked::AccessLog { files: files.into_iter().collect(), routes, duration }, progress)
    }

    pub(crate) fn import(&self, asked: Asked, progress: impl FnMut(u64, u64)) -> Result<Report, Error> {
        self.ask(Kind::Import, &asked.absolute()?.to_argument(), progress)
    }
}

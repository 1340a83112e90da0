//! What a settings file and the flags say together.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use super::settings_file;
use crate::{
    auth::{Auth, AuthBuilder},
    config::Config,
    error::{Error, ErrorKind},
};

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    has_data: bool,
}

impl Settings {
    /// The defaults, over them the file, over that the flag for the directory. An error says everything that is wrong at once.
    ///
    /// The keys in `[auth]` are not looked at: who keeps users may not be allowed to read them.
    pub(super) fn read(file: Option<&Path>, data: Option<&Path>) -> Result<Self, Error> {
        let (settings, faults) = Self::look(file, data)?;
        said(file, &faults).map(|()| settings)
    }

    /// As [`read`](Self::read), and whether an [`Auth`] can be made of it.
    pub(super) fn read_with_keys(file: Option<&Path>, data: Option<&Path>) -> Result<Self, Error> {
        let (settings, mut faults) = Self::look(file, data)?;
        let built = settings.auth_alone();
        // It joins what is wrong into one line.
        faults.extend(built.err().iter().flat_map(|error| error.chain().split("; ").map(str::to_owned).collect::<Vec<_>>()));
        said(file, &faults).map(|()| settings)
    }

    fn look(file: Option<&Path>, data: Option<&Path>) -> Result<(Self, Vec<String>), Error> {
        let (mut config, mut has_data, mut faults) = match file {
            Some(path) => settings_file::read(path).map(|read| (read.config, read.has_data, read.faults))?,
            None => (Config::default(), false, Vec::new()),
        };
        if let Some(data) = data {
            (config.data, has_data) = (data.to_owned(), true);
        }
        faults.extend(config.faults());
        Ok((Self { config, has_data }, faults))
    }

    /// Whether there is nothing to do but to say whose tokens are good.
    pub(super) fn is_verify_only(&self) -> bool {
        !self.has_data && self.config.auth.as_ref().is_some_and(|auth| !auth.issuer.is_empty())
    }

    /// The data directory.
    pub(super) fn data(&self) -> Result<&Path, Error> {
        if self.is_verify_only() {
            let message = "these settings name no data directory, in which users and revocations are kept: add `data = \"..\"` to the file, \
                           or say --data";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(&self.config.data)
    }

    /// Where to listen; flags count more than the file.
    pub(super) fn listen(&self, host: Option<IpAddr>, port: Option<u16>) -> Result<SocketAddr, Error> {
        let mut address: SocketAddr = self.config.listen.parse().map_err(|_| Error::new(ErrorKind::Config, "listen is no address"))?;
        address.set_ip(host.unwrap_or(address.ip()));
        address.set_port(port.unwrap_or(address.port()));
        Ok(address)
    }

    /// Who is let in by a token, if the settings say so. Where there is a data directory, tokens can be revoked there.
    pub(super) fn auth(&self) -> Result<Option<Auth>, Error> {
        let Some(builder) = self.auth_builder() else { return Ok(None) };
        if self.is_verify_only() {
            return builder.build().map(Some);
        }
        builder.sign_in(&self.config.data).build().map(Some)
    }

    /// The same for a command that only looks: it makes no file.
    pub(super) fn auth_to_look(&self) -> Result<Option<Auth>, Error> {
        let is_there = !self.is_verify_only() && self.config.data.join("access.db").exists();
        if is_there { self.auth() } else { self.auth_alone() }
    }

    /// The same, whatever was revoked.
    pub(super) fn auth_alone(&self) -> Result<Option<Auth>, Error> {
        self.auth_builder().map(|builder| builder.expects_users(!self.is_verify_only()).build()).transpose()
    }

    fn auth_builder(&self) -> Option<AuthBuilder> {
        self.config.auth.as_ref().map(|auth| Auth::builder().config(auth.clone()))
    }
}

fn said(file: Option<&Path>, faults: &[String]) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    let place = file.map_or_else(|| "the settings".to_owned(), |path| path.display().to_string());
    let message = match faults {
        [only] => format!("in {place}: {only}"),
        several => format!("{} faults in {place}:\n  {}", several.len(), several.join("\n  ")),
    };
    Err(Error::new(ErrorKind::Config, message))
}

//! Shows a page in the browser of whoever started the server.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file that leads to a page, for links with a secret in them: what stands on a command line, everybody on the machine can read.
pub(super) struct Signpost(PathBuf);

impl Signpost {
    fn new(directory: &Path, url: &str) -> io::Result<Self> {
        let path = directory.join("open-dashboard.html");
        drop(fs::remove_file(&path));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let post = Self(path);
        write!(
            file,
            "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0; url={url}\"><a href=\"{url}\">Open</a>"
        )?;
        Ok(post)
    }
}

impl Drop for Signpost {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Opens a page, if there is a browser. The signpost goes with the server.
pub(super) fn open(url: &str, directory: &Path) -> Option<Signpost> {
    let is_secret = url.contains("/link/");
    let post = is_secret.then(|| Signpost::new(directory, url)).transpose();
    let opened = match &post {
        Ok(Some(Signpost(path))) => open::that_detached(path),
        Ok(None) => open::that_detached(url),
        Err(_) => return None,
    };
    if opened.is_err() {
        tracing::debug!("no browser could be opened");
    }
    post.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_signpost_is_for_its_owner_alone_and_goes_with_the_server() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let post = Signpost::new(directory.path(), "http://localhost/analytics/link/abc").unwrap();
        let path = post.0.clone();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(&path).unwrap().contains("url=http://localhost/analytics/link/abc"));
        drop(post);
        assert!(!path.exists());
    }
}

use std::{fmt, fs, path::Path};

use serde::{Deserialize, Serialize};

/// A secret in the settings: `env:NAME`, `file:/path` (one newline at its end is cut off), or the text itself. Never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret, or where it stands.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, or what is wrong as a clause that continues "the secret ..".
    pub(super) fn resolve(&self) -> Result<Vec<u8>, String> {
        if let Some(name) = self.0.strip_prefix("env:") {
            return std::env::var(name)
                .map(String::into_bytes)
                .map_err(|_| format!("should stand in the environment as {name}, which is not set"));
        }
        self.file().map_or_else(|| Ok(self.0.clone().into_bytes()), read_file)
    }

    /// The file that it stands in, if it does.
    pub(super) fn file(&self) -> Option<&Path> {
        self.0.strip_prefix("file:").map(Path::new)
    }
}

/// The secret in a file, or what is wrong as a clause that continues "the secret ..".
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = fs::read(path).map_err(|error| format!("cannot be read from {}: {error}", path.display()))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(bytes)
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Serialize for Secret {
    /// Where it stands, if it stands elsewhere.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_elsewhere = self.0.starts_with("env:") || self.0.starts_with("file:");
        serializer.serialize_str(if is_elsewhere { &self.0 } else { "(hidden)" })
    }
}

use serde::{Deserialize, Serialize};

/// Where something stands in a token: a list of keys, or the keys with dots (`\.` for a dot in a key).
///
/// ```
/// use tower_analytics::auth::RolePath;
///
/// assert_eq!(RolePath::from("realm_access.roles").keys(), ["realm_access", "roles"]);
/// assert_eq!(RolePath::from(r"https://example\.com/roles").keys(), ["https://example.com/roles"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum RolePath {
    /// With dots.
    Dotted(String),
    /// Key by key.
    Keys(Vec<String>),
}

impl RolePath {
    /// Key by key.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let dotted = match self {
            Self::Keys(keys) => return keys.clone(),
            Self::Dotted(dotted) => dotted,
        };
        let mut keys = vec![String::new()];
        let mut letters = dotted.chars().peekable();
        while let Some(letter) = letters.next() {
            match (letter, letters.peek()) {
                ('\\', Some('.')) => keys.iter_mut().next_back().into_iter().for_each(|key| key.extend(letters.next())),
                ('.', _) => keys.push(String::new()),
                _ => keys.iter_mut().next_back().into_iter().for_each(|key| key.push(letter)),
            }
        }
        keys
    }
}

impl From<&str> for RolePath {
    fn from(dotted: &str) -> Self {
        Self::Dotted(dotted.to_owned())
    }
}

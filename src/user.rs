//! Who the app says a request belongs to.

use std::fmt;

use arrayvec::ArrayString;
use http::HeaderName;

use crate::access::{Head, text};

/// The longest id that is kept as it is, in bytes.
pub(crate) const MAX_USER_ID: usize = 256;

/// Who made a request, by the app's own id; put it on the response (`Extension(User::new(id))`), on the request, or
/// return it from the `user` closure.
///
/// Ids up to 62 bytes cost no allocation. Longer ids are kept up to 256 bytes; of one still longer, the hit
/// keeps the beginning and a hash of all of it, so that two such users never become one.
///
/// ```
/// use tower_analytics::User;
///
/// let user = User::new("u-4711").name("Ann");
/// assert_eq!(user.id(), "u-4711");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    id: Text,
    name: Option<Text>,
}

#[derive(Clone, PartialEq, Eq)]
enum Text {
    Inline(ArrayString<62>),
    Long(Box<str>),
}

impl Text {
    fn new(text: &str) -> Self {
        let mut inline = ArrayString::new();
        if inline.try_push_str(text).is_err() {
            return Self::Long(text.into());
        }
        Self::Inline(inline)
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            Self::Long(text) => text,
        }
    }
}

impl User {
    /// A user by the app's own id. An empty id is nobody: the hit then belongs to a visitor.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self { id: Text::new(id.as_ref()), name: None }
    }

    /// A name for people to read; the last one seen is kept.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(Text::new(name.as_ref()));
        self
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    pub(crate) fn name_str(&self) -> &str {
        self.name.as_ref().map_or("", Text::as_str)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({:?})", self.id())
    }
}

/// A ready-made `user` closure: the header in which a **trusted proxy** names the user. From anybody else the header is ignored.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), tower_analytics::Error> {
/// # let dir = tempfile::tempdir().unwrap();
/// use tower_analytics::{Analytics, user};
/// let analytics = Analytics::builder(dir.path()).user(user::header("x-auth-subject")).build()?;
/// # Ok(()) }
/// # #[cfg(not(feature = "sqlite"))] fn main() {}
/// ```
///
/// # Panics
///
/// If the name is not a legal header name in lower case.
pub fn header(name: &'static str) -> impl Fn(&Head<'_>) -> Option<User> + Send + Sync + 'static {
    let name = HeaderName::from_static(name);
    move |head| head.headers().get(&name).filter(|_| head.is_from_trusted_proxy()).and_then(text).map(User::new)
}

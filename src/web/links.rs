use axum::extract::OriginalUri;
use http::{Extensions, Uri, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Where our pages are as the browser sees them: every link derives from here, under `nest` and behind a proxy's sub-path too.
#[derive(Clone, Debug)]
pub(super) struct Links {
    base: String,
    /// The base path of the settings.
    inner: String,
}

impl Links {
    /// `public_url` has the last word; otherwise what `nest` has taken off the path is put back.
    pub(super) fn of(parts: &Parts, base_path: &str, public_url: Option<&str>) -> Self {
        if let Some(path) = public_url.and_then(|url| url.parse::<http::Uri>().ok()) {
            let base = format!("{}{base_path}", path.path().trim_end_matches('/'));
            return Self { base, inner: base_path.to_owned() };
        }
        let seen = parts.uri.path();
        let original = parts.extensions.get::<OriginalUri>().map_or(seen, |original| original.path());
        let base = format!("{}{base_path}", original.strip_suffix(seen).unwrap_or_default());
        Self { base, inner: base_path.to_owned() }
    }

    /// The first page.
    pub(super) fn home(&self) -> &str {
        &self.base
    }

    /// The sign-in, which leads back to where this request wanted to go.
    pub(super) fn sign_in(&self, extensions: &Extensions, uri: &Uri) -> String {
        let original = extensions.get::<OriginalUri>().map_or(uri, |original| &original.0);
        let below = original.path_and_query().map_or("", |target| target.as_str());
        // As the browser sees it: the proxy's own path is not in what reaches us.
        let at = below.find(&*self.inner).map_or("", |at| &below[at + self.inner.len()..]);
        self.sign_in_for(&format!("{}{at}", self.base))
    }

    /// The sign-in, which leads on to a path of this origin.
    pub(super) fn sign_in_for(&self, next: &str) -> String {
        if next == self.base {
            self.to("login")
        } else {
            format!("{}?next={}", self.to("login"), utf8_percent_encode(next, NON_ALPHANUMERIC))
        }
    }

    /// A path below the base, such as `assets/style.css`.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(seen: &str, original: Option<&str>, public_url: Option<&str>) -> String {
        let (mut parts, ()) = http::Request::get(seen).body(()).unwrap().into_parts();
        if let Some(original) = original {
            parts.extensions.insert(OriginalUri(original.parse().unwrap()));
        }
        Links::of(&parts, "/analytics", public_url).home().to_owned()
    }

    #[test]
    fn links_lead_back_through_nest_and_proxies() {
        assert_eq!(home("/analytics", None, None), "/analytics");
        assert_eq!(home("/analytics/users", Some("/admin/analytics/users"), None), "/admin/analytics");
        assert_eq!(home("/analytics", None, Some("https://example.com/ops/")), "/ops/analytics");
        assert_eq!(home("/analytics", None, Some("https://example.com")), "/analytics");
    }
}

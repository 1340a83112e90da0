use axum::extract::OriginalUri;
use http::{Uri, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Where our pages are as the browser sees them: every link derives from here, under `nest` and behind a proxy's sub-path too.
#[derive(Clone, Debug)]
pub(super) struct Links {
    base: String,
    /// The base path of the settings.
    inner: String,
    /// Who may sign out.
    leaver: Option<String>,
}

/// In bytes; NGINX keeps the head of an answer in 4 KiB.
const LONGEST_NEXT: usize = 2048;

impl Links {
    /// `public_url` has the last word; otherwise what `nest` has taken off the path is put back.
    pub(super) fn of(parts: &Parts, base_path: &str, public_url: Option<&str>) -> Self {
        if let Some(path) = public_url.and_then(|url| url.parse::<http::Uri>().ok()) {
            let base = format!("{}{base_path}", path.path().trim_end_matches('/'));
            return Self { base, inner: base_path.to_owned(), leaver: None };
        }
        let seen = parts.uri.path();
        let original = parts.extensions.get::<OriginalUri>().map_or(seen, |original| original.path());
        let base = format!("{}{base_path}", harmless(original.strip_suffix(seen).unwrap_or_default()));
        Self { base, inner: base_path.to_owned(), leaver: None }
    }

    /// For somebody who is signed in, and may want to be no more.
    pub(super) fn of_leaver(self, name: Option<String>) -> Self {
        Self { leaver: name, ..self }
    }

    pub(super) fn leaver(&self) -> Option<&str> {
        self.leaver.as_deref()
    }

    /// The first page.
    pub(super) fn home(&self) -> &str {
        &self.base
    }

    /// The sign-in, which leads back to where this request wanted to go. `uri` is what is left when `nest` has taken its part.
    pub(super) fn sign_in(&self, uri: &Uri) -> String {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        self.sign_in_for(&format!("{}{}{query}", self.base, self.below(uri)))
    }

    /// The sign-in, which leads on to a path of this origin. One that is too long for the headers of proxies is left out.
    pub(super) fn sign_in_for(&self, next: &str) -> String {
        let encoded = utf8_percent_encode(next, NON_ALPHANUMERIC).to_string();
        if next.trim_end_matches('/') == self.base || encoded.len() > LONGEST_NEXT {
            self.to("login")
        } else {
            format!("{}?next={encoded}", self.to("login"))
        }
    }

    /// The same address without the slash at the end of its path.
    pub(super) fn without_slash(&self, uri: &Uri) -> String {
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{}{query}", self.base, self.below(uri).trim_end_matches('/'))
    }

    /// The path below the base path.
    fn below<'a>(&self, uri: &'a Uri) -> &'a str {
        uri.path().strip_prefix(&*self.inner).unwrap_or_default()
    }

    /// A path below the base, such as `assets/style.css`.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

/// What `nest` has taken off may hold what somebody else has written. To browsers `\` is `/`, and two of them at the start are another
/// site's.
fn harmless(before: &str) -> String {
    let before = before.replace('\\', "%5C");
    if before.starts_with("//") { format!("/{}", before.trim_start_matches('/')) } else { before }
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

    #[test]
    fn links_lead_to_no_other_site_whatever_was_taken_off() {
        assert_eq!(home("/analytics", Some("/\\evil.example/analytics"), None), "/%5Cevil.example/analytics");
        assert_eq!(home("/analytics", Some("//evil.example/analytics"), None), "/evil.example/analytics");
    }

    #[test]
    fn an_address_loses_its_slash_and_nothing_else() {
        let (mut parts, ()) = http::Request::get("/analytics/users/?days=7&user=a/").body(()).unwrap().into_parts();
        parts.extensions.insert(OriginalUri("/admin/analytics/users/?days=7&user=a/".parse().unwrap()));
        let links = Links::of(&parts, "/analytics", None);
        assert_eq!(links.without_slash(&parts.uri), "/admin/analytics/users?days=7&user=a/");
    }

    #[test]
    fn the_sign_in_leads_back_whatever_stands_before_the_base() {
        let (mut parts, ()) = http::Request::get("/analytics/users?q=1").body(()).unwrap().into_parts();
        parts.extensions.insert(OriginalUri("/analytics-app/analytics/users?q=1".parse().unwrap()));
        let links = Links::of(&parts, "/analytics", None);
        let to = links.sign_in(&parts.uri);
        assert_eq!(to, "/analytics-app/analytics/login?next=%2Fanalytics%2Dapp%2Fanalytics%2Fusers%3Fq%3D1");
        let long = format!("/analytics/{}", "x".repeat(60_000)).parse().unwrap();
        assert_eq!(links.sign_in(&long), "/analytics-app/analytics/login");
    }
}

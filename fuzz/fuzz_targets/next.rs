//! Wherever a sign-in is asked to lead, it leads to a path of our own host, and not to a sign-in or a sign-out.
#![no_main]

use std::sync::LazyLock;

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use tower_analytics::auth::fuzzing::next;
use url::Url;

static OURS: LazyLock<Url> = LazyLock::new(|| Url::parse("https://ours.test/analytics/login").expect("a URL"));

/// Whether a server that decodes could take it for a page that `next` must not lead to.
fn is_forbidden(path: &str, base: &str) -> bool {
    let once = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
    [path.to_owned(), once, twice].into_iter().any(|path| {
        let mut url = OURS.clone();
        url.set_path(&path);
        let below = url.path().strip_prefix(base).and_then(|below| below.strip_prefix('/')).map(str::to_ascii_lowercase);
        below.is_some_and(|below| ["login", "logout", "auth"].contains(&below.split(['/', ';']).next().unwrap_or_default()))
    })
}

fuzz_target!(|raw: &str| {
    for base in ["/analytics", "", "/a/b"] {
        let out = next(Some(raw), base);
        let there = OURS.join(&out).unwrap_or_else(|error| panic!("{raw:?} leads to {out:?}: {error}"));
        assert_eq!(there.origin(), OURS.origin(), "{raw:?} leads to {out:?}");
        assert!(there.username().is_empty() && there.password().is_none() && there.port().is_none(), "{raw:?} leads to {out:?}");
        // As it stands: no parser has anything left to change.
        assert_eq!(&there.as_str()["https://ours.test".len()..], out, "{raw:?}");
        assert!(out.starts_with('/') && !out.starts_with("//") && !out.contains('\\'), "{raw:?} leads to {out:?}");
        assert!(out.bytes().all(|byte| byte.is_ascii_graphic()) && HeaderValue::from_str(&out).is_ok(), "{raw:?} leads to {out:?}");
        assert!(!is_forbidden(there.path(), base), "{raw:?} leads to {out:?}");
        assert_eq!(next(Some(&out), base), out, "{raw:?}");
    }
});

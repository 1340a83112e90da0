//! What the traffic is made of, and what its endpoints must be called: written down by hand, so that nothing is derived as the crate does.

use tower_analytics::Builder;

pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) text: &'static str,
    pub(crate) name: &'static str,
    pub(crate) feature: &'static str,
}

const fn endpoint(method: &'static str, route: &'static str, text: &'static str, name: &'static str, feature: &'static str) -> Endpoint {
    Endpoint { method, route, text, name, feature }
}

pub(crate) const ENDPOINTS: [Endpoint; 7] = [
    endpoint("GET", "/items", "GET /items", "All items", "shop"),
    endpoint("GET", "/items/{id}", "GET /items/{id}", "Items › id", "shop"),
    endpoint("DELETE", "/items/{id}", "DELETE /items/{id}", "Items › id (DELETE)", "admin"),
    endpoint("POST", "/cart/{id}/pay", "POST /cart/{id}/pay", "Cart › id › Pay (POST)", "shop"),
    endpoint("GET", "/api/v1/users/{id}", "GET /api/v1/users/{id}", "Api › V1 › Users › id", "users"),
    endpoint("GET", "/health", "GET /health", "Health", "health"),
    endpoint("GET", "(unmatched)", "(unmatched)", "(unmatched)", "(unmatched)"),
];

pub(crate) const FEATURES: [(&str, &str); 5] =
    [("shop", "The shop"), ("admin", "Administration"), ("users", "Users"), ("health", "Health"), ("(unmatched)", "(unmatched)")];

/// `X-Platform`, `X-App-Version`, `X-Device-Info`, `User-Agent`. Some share an agent, so that one visitor has several devices.
pub(crate) const DEVICES: [[&str; 4]; 8] = [
    ["", "", "", "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0"],
    ["android", "1.9", "Pixel 9", "okhttp/5.0"],
    ["android", "1.10", "Pixel 9", "okhttp/5.0"],
    ["ios", "1.10", "", "okhttp/5.0"],
    ["ios", "2.0-beta", "", ""],
    ["ios", "2.0", "", ""],
    ["", "", "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"],
    ["web", "2.0", "", "curl/8.0 Googlebot"],
];

/// In the order of their meaning.
pub(crate) const VERSIONS: [&str; 5] = ["", "1.9", "1.10", "2.0-beta", "2.0"];

pub(crate) const STATUSES: [u16; 6] = [200, 201, 304, 404, 429, 503];

pub(crate) fn configured(builder: Builder) -> Builder {
    builder
        .feature("admin", "Administration", ["DELETE *"])
        .feature("shop", "The shop", ["/items", "/items/{id}", "/cart/{*rest}"])
        .endpoint_name("GET /items", "All items")
}

pub(crate) fn endpoint_called(text: &str) -> &'static Endpoint {
    ENDPOINTS.iter().find(|endpoint| endpoint.text == text).unwrap_or_else(|| panic!("{text:?} was never sent"))
}

pub(crate) fn feature_name(key: &str) -> &'static str {
    FEATURES.iter().find(|(feature, _)| *feature == key).unwrap().1
}

/// Greater is newer.
pub(crate) fn version_rank(version: &str) -> usize {
    VERSIONS.iter().position(|known| *known == version).unwrap_or_else(|| panic!("{version:?} was never sent"))
}

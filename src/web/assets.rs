use std::{hash::Hasher, sync::LazyLock};

use axum::{
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;

use super::host::Host;
use crate::access::Role;

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/app.js");
const LAYOUT: &str = include_str!("assets/layout.js");
const ICON: &str = include_str!("assets/icon.svg");
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Named by their content, so that browsers may keep them for ever.
static STYLE_NAME: LazyLock<String> = LazyLock::new(|| format!("assets/style-{}.css", fingerprint(STYLE)));
static ICON_NAME: LazyLock<String> = LazyLock::new(|| format!("assets/icon-{}.svg", fingerprint(ICON)));
static SCRIPT_NAMES: LazyLock<[String; 2]> =
    LazyLock::new(|| [("app", SCRIPT), ("layout", LAYOUT)].map(|(name, text)| format!("assets/{name}-{}.js", fingerprint(text))));

pub(super) fn style() -> &'static str {
    &STYLE_NAME
}

/// In the order in which they build on one another.
pub(super) fn scripts() -> &'static [String; 2] {
    &SCRIPT_NAMES
}

pub(super) fn icon() -> &'static str {
    &ICON_NAME
}

pub(crate) fn register(host: &mut Host) {
    host.page(style(), Role::Anyone, get(async || asset("text/css; charset=utf-8", STYLE)));
    host.page(icon(), Role::Anyone, get(async || asset("image/svg+xml", ICON)));
    for (name, text) in scripts().iter().zip([SCRIPT, LAYOUT]) {
        host.page(name.clone(), Role::Anyone, get(async move || asset("text/javascript; charset=utf-8", text)));
    }
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOREVER)], text).into_response()
}

fn fingerprint(text: &str) -> String {
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(text.as_bytes());
    format!("{:08x}", hasher.finish() as u32)
}

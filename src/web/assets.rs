use std::{hash::Hasher, sync::LazyLock};

use axum::{response::IntoResponse, routing::get};
use http::header;

use super::host::Host;
use crate::access::Role;

const STYLE: &str = include_str!("assets/style.css");
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Named by its content, so that browsers may keep it for ever.
static STYLE_NAME: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(STYLE.as_bytes());
    format!("assets/style-{:08x}.css", hasher.finish() as u32)
});

pub(super) fn style() -> &'static str {
    &STYLE_NAME
}

pub(super) fn register(host: &mut Host) {
    let style_sheet =
        || async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, FOREVER)], STYLE).into_response() };
    host.route(style(), Role::Anyone, get(style_sheet));
}

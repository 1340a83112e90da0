//! Addresses of pages as people type them, with a slash at the end.

use axum::{Extension, response::Redirect};
use http::Uri;

use super::links::Links;

/// Leads to the page without it. The query stays.
pub(super) async fn to_page(Extension(links): Extension<Links>, uri: Uri) -> Redirect {
    Redirect::to(&links.without_slash(&uri))
}

use axum::body::Body;
use http::{HeaderMap, StatusCode, header};
use zeroize::Zeroizing;

/// The fields of a form that a page of ours has sent, or of a query.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

/// In bytes.
const LONGEST: usize = 8192;

/// The field is there more than once: two programs might read two values.
pub(super) struct Twice;

impl Form {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect())
    }

    /// Reads a body, or says with which status it is refused.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, StatusCode> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let bytes = axum::body::to_bytes(body, LONGEST).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        Ok(Self::parse(&bytes))
    }

    /// The one value of a field; `None` if it is not there.
    pub(super) fn only(&self, name: &str) -> Result<Option<String>, Twice> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.to_string());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Twice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_counts_if_it_is_there_once() {
        let form = Form::parse(b"a=1&b=x%20+y&b=2&c=");
        assert_eq!(form.only("a").ok().flatten().as_deref(), Some("1"));
        assert!(form.only("b").is_err());
        assert_eq!(form.only("c").ok().flatten().as_deref(), Some(""));
        assert_eq!(form.only("d").ok().flatten(), None);
    }
}

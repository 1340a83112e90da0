use http::{HeaderMap, HeaderValue, header};

/// The same cookie came with two values: another host of the domain has set one of them, and which is unknowable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tossed;

/// A cookie's value by its exact name, from any number of `Cookie` lines.
///
/// Only what RFC 6265 4.1.1 allows in a value counts, without quotes taken off; anything else is as if it was not there.
#[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "for sessions"))]
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Tossed> {
    let value = any_value(headers, name)?.filter(|value| value.iter().all(|byte| is_octet(*byte)));
    Ok(value.and_then(|value| std::str::from_utf8(value).ok()))
}

/// The same, whatever it is.
///
/// Only `;` parts cookies and only blanks and tabs are trimmed: parsers that take more for a separator or for white space let a
/// page of the domain smuggle a `__Host-` name in.
pub(crate) fn any_value<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Tossed> {
    let mut found = None;
    let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    for pair in lines.flat_map(|line| line.split(|byte| *byte == b';')) {
        let mut sides = pair.splitn(2, |byte| *byte == b'=');
        let (Some(key), Some(value)) = (sides.next().map(trim), sides.next().map(trim)) else { continue };
        if key != name.as_bytes() {
            continue;
        }
        if found.is_some_and(|before| before != value) {
            return Err(Tossed);
        }
        found = Some(value);
    }
    Ok(found)
}

fn trim(bytes: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// `cookie-octet` of RFC 6265 4.1.1.
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name_and_nothing_else() {
        type Case<'a> = (&'a [&'a [u8]], Result<Option<&'a str>, Tossed>);
        let cases: [Case<'_>; 20] = [
            (&[], Ok(None)),
            (&[b"s=1"], Ok(Some("1"))),
            (&[b"a=b; s=1;c=d"], Ok(Some("1"))),
            (&[b"a=b", b"s=1"], Ok(Some("1"))),
            (&[b" \ts =\t1 "], Ok(Some("1"))),
            (&[b"s="], Ok(Some(""))),
            (&[b"s=a=b=="], Ok(Some("a=b=="))),
            (&[b"s"], Ok(None)),
            (&[b"S=1; ss=1; xs=1; s x=1"], Ok(None)),
            (&[b"=s=1; ==s=1"], Ok(None)),
            (&[b"a=b, s=1"], Ok(None)),
            (&[b"a=\"x; s=1; y\""], Ok(Some("1"))),
            (&[b"$Version=1; s=1; $Path=/"], Ok(Some("1"))),
            (&[b"s=\"1\""], Ok(None)),
            (&[b"s=1 2"], Ok(None)),
            (&[b"s=1,2"], Ok(None)),
            (&[b"s=\xc3\xbc"], Ok(None)),
            (&[b"\xe2\x80\x80s=1; \xc2\xa0s=1"], Ok(None)),
            (&[b"a=\xff\xfe; s=1"], Ok(Some("1"))),
            (&[b"%73=1"], Ok(None)),
        ];
        for (lines, expected) in cases {
            let text: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
            assert_eq!(read(&headers(lines), "s"), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cookie_with_two_values_is_refused_and_one_that_is_repeated_is_not() {
        assert_eq!(read(&headers(&[b"s=1; s=2"]), "s"), Err(Tossed));
        assert_eq!(read(&headers(&[b"s=1", b"a=b; s=2"]), "s"), Err(Tossed));
        assert_eq!(read(&headers(&[b"s=1; s="]), "s"), Err(Tossed));
        assert_eq!(read(&headers(&[b"s=\"1\"; s=1"]), "s"), Err(Tossed));
        assert_eq!(read(&headers(&[b"s=1", b"s=1"]), "s"), Ok(Some("1")));
    }
}

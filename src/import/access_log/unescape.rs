use std::borrow::Cow;

/// A field as it was before NGINX (`\x22`) or Apache (`\"`, `\\`, `\n`, `\x22`) wrote it into a line.
pub(super) fn unescape(field: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', field).is_none() {
        return Cow::Borrowed(field);
    }
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            plain.push(*first);
            continue;
        }
        match after {
            [b'x' | b'X', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            [escaped, after @ ..] => {
                plain.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'v' => 11,
                    b'f' => 12,
                    other => *other,
                });
                rest = after;
            }
            [] => plain.push(b'\\'),
        }
    }
    Cow::Owned(plain)
}

fn digit(byte: u8) -> u8 {
    char::from(byte).to_digit(16).unwrap_or_default() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_both_servers_are_undone_and_what_is_none_stays() {
        for (field, plain) in [
            (&b"plain"[..], &b"plain"[..]),
            (br"a\x22b", b"a\"b"),
            (br#"a\"b\\c\td"#, b"a\"b\\c\td"),
            (br"\xC3\xa9", "é".as_bytes()),
            (br"\x2", b"x2"),
            (br"\xzz", b"xzz"),
            (br"end\", br"end\"),
        ] {
            assert_eq!(&*unescape(field), plain, "{}", String::from_utf8_lossy(field));
        }
    }
}

use std::collections::{HashMap, HashSet};

use crate::store::dictionary::mask;

/// What is looked for in texts of others: ids and names, as they were and as they look in addresses, in JSON and in masked messages.
pub(super) struct Needles(Vec<String>);

/// Shorter ones, and mere words, may mean something else: `ann` in `/annual`, `orders` in `/orders`.
const TELLING: usize = 8;

impl Needles {
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut needles: Vec<String> = texts.flat_map(forms).filter(|form| !form.is_empty()).collect();
        // What is part of another one is looked for after it.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self(needles)
    }

    /// The text with something else in their place; none if none is in it. Those that may mean something else are looked for only
    /// where there is no `doubt`, and only as whole words.
    pub(super) fn cleared(&self, text: &str, instead: &str, doubt: bool) -> Option<String> {
        let mut cleared = None;
        for needle in self.0.iter().filter(|needle| !doubt || is_telling(needle)) {
            let now = cleared.as_deref().unwrap_or(text);
            cleared = replaced(now, needle, instead).or(cleared);
        }
        cleared
    }
}

fn forms(text: &str) -> impl Iterator<Item = String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let debug = format!("{text:?}");
    let inner = |quoted: &str| quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let masked = Some(mask(text)).filter(|masked| is_telling(masked));
    [text.to_owned(), text.bytes().map(encode).collect(), inner(&quoted), inner(&debug)].into_iter().chain(masked)
}

fn is_telling(needle: &str) -> bool {
    needle.len() >= TELLING && !needle.chars().all(char::is_alphabetic)
}

fn replaced(text: &str, needle: &str, instead: &str) -> Option<String> {
    // Of the same length, byte for byte.
    let (low, low_needle) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
    let whole_words = !is_telling(needle);
    let is_inside = |c: Option<char>| whole_words && c.is_some_and(char::is_alphanumeric);
    let (mut cleared, mut kept) = (String::new(), 0);
    for (at, _) in low.match_indices(&low_needle) {
        let end = at + needle.len();
        if at < kept || is_inside(text[..at].chars().next_back()) || is_inside(text[end..].chars().next()) {
            continue;
        }
        cleared.push_str(&text[kept..at]);
        cleared.push_str(instead);
        kept = end;
    }
    (kept > 0).then(|| cleared + &text[kept..])
}

/// New texts for old ones: the same for the same, others for others, and none that was there before.
pub(super) struct Renamed {
    new: HashMap<String, String>,
    taken: HashSet<String>,
}

impl Renamed {
    pub(super) fn new(there: impl Iterator<Item = String>) -> Self {
        Self { new: HashMap::new(), taken: there.collect() }
    }

    pub(super) fn put(&mut self, old: &str, new: String) -> String {
        let Self { new: known, taken } = self;
        let name = || {
            let mut name = new;
            while taken.contains(&name) {
                name.push('\'');
            }
            taken.insert(name.clone());
            name
        };
        known.entry(old.to_owned()).or_insert_with(name).clone()
    }

    /// What it was renamed to.
    pub(super) fn of<'a>(&'a self, old: &'a str) -> &'a str {
        self.new.get(old).map_or(old, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear(who: &[&str], text: &str, doubt: bool) -> Option<String> {
        Needles::new(who.iter().copied()).cleared(text, "X", doubt)
    }

    #[test]
    fn an_id_is_found_however_it_is_written() {
        let id = "3f9ac1d0-77B2-4e@x";
        for (text, expected) in [
            ("/users/3f9ac1d0-77B2-4e@x/orders", "/users/X/orders"),
            ("/users/3F9AC1D0-77b2-4E%40X/orders", "/users/X/orders"),
            ("a3f9ac1d0-77B2-4e@xb3f9ac1d0-77B2-4e@x", "aXbX"),
            ("no #f#ac#d#-#B#-#e@x here", "no X here"),
        ] {
            assert_eq!(clear(&[id], text, true).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(clear(&[id], "/users/3f9ac1d0-77B2", true), None);
        assert_eq!(clear(&["a\"b-12345"], r#"no user "a\"b-12345""#, true).as_deref(), Some(r#"no user "X""#));
    }

    #[test]
    fn a_short_id_or_a_word_is_looked_for_as_a_whole_and_where_there_is_no_doubt() {
        assert_eq!(clear(&["ann"], "/ann", true), None);
        assert_eq!(clear(&["ann"], "/annual/Ann's", false).as_deref(), Some("/annual/X's"));
        assert_eq!(clear(&["7"], "item 7 of 17", false).as_deref(), Some("item X of 17"));
        assert_eq!(clear(&["dashboard"], "/dashboard", true), None);
        assert_eq!(clear(&["", "Ann"], "nobody", false), None);
    }

    #[test]
    fn what_is_renamed_stays_apart() {
        let mut renamed = Renamed::new(["a".to_owned(), "b".to_owned(), "X".to_owned()].into_iter());
        let names = ["a", "b", "a"].map(|old| renamed.put(old, "X".to_owned()));
        assert_eq!(names, ["X'", "X''", "X'"]);
        assert_eq!((renamed.of("a"), renamed.of("c")), ("X'", "c"));
    }
}

//! Imports only go down the list below, never up or sideways, so that the crate can be read from the bottom.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files of the ground floor, from the bottom up, each with what it may import of those before it.
///
/// A new edge, here or below, is a decision: it is made by adding it to the table.
const GROUND: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("clock", &[]),
    ("counters", &[]),
    ("access", &[]),
    ("device", &[]),
    ("pattern", &["error"]),
    ("user", &["access"]),
    ("facts", &["clock", "user"]),
    ("hit", &["clock", "device", "facts", "user"]),
    ("sink", &["clock", "counters", "error", "hit"]),
    ("zone", &["clock", "error"]),
    ("shown", &[]),
    ("spreadsheet", &[]),
    ("aging", &["clock", "error"]),
];

/// What stands on it, from the bottom up: each may import all of the ground floor, and these of the lines before it.
const FLOORS: &[(&str, &[&str])] = &[
    ("recorder", &[]),
    ("layer", &["recorder"]),
    ("auth", &[]),
    ("config", &["auth", "layer", "recorder"]),
    ("store", &[]),
    ("import", &["recorder", "store"]),
    ("report", &["store"]),
    ("verify", &["auth", "layer"]),
    ("maintenance", &["import", "recorder", "store"]),
    ("analytics", &["config", "import", "layer", "maintenance", "recorder", "report", "store"]),
    ("web", &["analytics", "auth", "config", "layer", "recorder", "report", "verify"]),
    ("plugin", &["recorder", "web"]),
    ("plugins", ALL_BEFORE),
    ("cli", &["analytics", "auth", "config", "import", "maintenance", "plugins", "recorder", "report", "verify", "web"]),
];

const ALL_BEFORE: &[&str] = &["*"];

/// A file that is one thing with another: the handle gives its builder, and the builder the handle.
const PARTS: &[(&str, &str)] = &[("builder", "analytics")];

/// They only name the others: the map of the crate, and the one line into `cli`.
const OUTSIDE: &[&str] = &["lib", "bin"];

#[test]
fn imports_only_go_down_the_list() {
    let mut wrong = Vec::new();
    for file in rust_files(&source()) {
        let unit = unit_of(&file);
        if OUTSIDE.contains(&unit.as_str()) {
            continue;
        }
        for (line, import) in imports(&code_of(&file), &unit, &file) {
            if whole(&import) != unit && !may_import(&unit, whole(&import)) {
                wrong.push(format!("{}:{line}: {unit} may not import {import}", shown(&file)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "\n{}\n\nEither move the shared thing down to where both may see it, or, if the edge is right, add it to the table in {}; \
         what is re-exported at the root is to be named by its own module.\n",
        wrong.join("\n"),
        file!()
    );
}

#[test]
fn every_file_and_folder_has_a_place_in_the_list() {
    let unknown: Vec<_> = fs::read_dir(source())
        .unwrap()
        .map(|entry| unit_of(&entry.unwrap().path()))
        .filter(|unit| !OUTSIDE.contains(&unit.as_str()) && place_of(unit).is_none())
        .collect();
    assert!(
        unknown.is_empty(),
        "src/ has {unknown:?}, which {} does not know: add a line for each to GROUND or FLOORS, before all that import it and after \
         all that it imports, with exactly the imports it needs",
        file!()
    );
}

#[test]
fn the_list_itself_only_points_down() {
    for (place, (unit, imports)) in list().enumerate() {
        assert_eq!(place_of(unit), Some(place), "{unit} stands in the list twice");
        for import in imports.iter().filter(|_| imports != ALL_BEFORE) {
            assert!(place_of(import).is_some_and(|below| below < place), "{unit} may import {import}, which does not stand before it");
        }
    }
}

#[test]
fn imports_are_found_in_every_spelling() {
    let code = r##"
        use crate::{clock::{Millis, Month}, error::Error, hit, self as root};
        pub(crate) use crate::sink::Sink;
        fn f(_: &crate::user::User) -> super::pattern::Routes { super::helper("crate::in_text::X") }
        const RAW: (&str, char) = (r#"" crate::in_raw_text::X"#, '"');
        // crate::in_a_comment::X
        /* crate::in_a_block::X */
        use super::super::store::Store;
    "##;
    let file = source().join("layer/made_up.rs");
    let mut found = imports(&plain(code), "layer", &file);
    found.sort();
    let expected = [(2, "clock"), (2, "error"), (2, "hit"), (2, "self"), (3, "sink"), (4, "pattern"), (4, "user"), (8, "store")];
    assert_eq!(found, expected.map(|(line, name)| (line, name.to_owned())));
}

fn list() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    GROUND.iter().chain(FLOORS).copied()
}

fn place_of(unit: &str) -> Option<usize> {
    list().position(|(name, _)| name == unit)
}

fn may_import(unit: &str, import: &str) -> bool {
    let (Some(place), Some(below)) = (place_of(unit), place_of(import)) else { return false };
    let allowed = list().nth(place).unwrap().1;
    let onto_the_ground = place >= GROUND.len() && below < GROUND.len();
    allowed.contains(&import) || onto_the_ground || (allowed == ALL_BEFORE && below < place)
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn shown(file: &Path) -> String {
    file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string()
}

/// `src/layer/body.rs` belongs to `layer`, `src/hit.rs` to `hit`.
fn unit_of(file: &Path) -> String {
    let below = file.strip_prefix(source()).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    whole(first.trim_end_matches(".rs")).to_owned()
}

fn whole(name: &str) -> &str {
    PARTS.iter().find(|(part, _)| *part == name).map_or(name, |(_, whole)| whole)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Without the unit tests, which may take what they like from anywhere.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let Some(start) = text.find("\nmod tests {\n") else { return plain(&text) };
    let end = text[start..].find("\n}\n").map_or(text.len(), |end| start + end);
    let tests = "\n".repeat(text[start..end].matches('\n').count());
    plain(&format!("{}{tests}{}", &text[..start], &text[end..]))
}

/// The code without comments and texts; lines stay where they are.
fn plain(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' if rest.starts_with("'\"'") => 3,
            '\'' if rest.starts_with("'\\\"'") => 4,
            '"' => end_of_text(rest),
            'r' if !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => end_of_raw_text(rest).unwrap_or(0),
            _ => 0,
        };
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn end_of_raw_text(rest: &str) -> Option<usize> {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    let start = 1 + hashes + 1;
    rest[1 + hashes..].starts_with('"').then(|| {
        let end = format!("\"{}", "#".repeat(hashes));
        rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
    })
}

/// The units that a file names, each with its line: after `crate::`, or by `super::` up to the root.
fn imports(code: &str, unit: &str, file: &Path) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        found.extend(names(&code[at + "crate::".len()..]).into_iter().map(|name| (line_of(code, at), name)));
    }
    for (at, _) in code.match_indices("super::") {
        let rest = &code[at + "super::".len()..];
        let name = word(rest);
        let sibling = file.with_file_name(format!("{name}.rs")).exists() && file.parent() != Some(&source());
        if rest[name.len()..].starts_with("::") && name != unit && !sibling && place_of(name).is_some() {
            found.push((line_of(code, at), name.to_owned()));
        }
    }
    found
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The first name of a path, or the first of each in `{..}`.
fn names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest).to_owned()] };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut first = true;
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => first = true,
            c if first && !c.is_whitespace() => {
                names.push(word(&group[at..]).to_owned());
                first = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// An entry of the rail.
#[derive(Debug)]
pub(super) struct Entry {
    /// Below the base path.
    pub(super) path: &'static str,
    pub(super) label: &'static str,
    /// The key that leads there.
    pub(super) key: &'static str,
    /// The lines of its icon, 16 by 16.
    pub(super) icon: &'static str,
    /// Whether it is among the few for which a narrow screen has room.
    pub(super) first: bool,
}

const fn entry(path: &'static str, label: &'static str, key: &'static str, first: bool, icon: &'static str) -> Entry {
    Entry { path, label, key, icon, first }
}

pub(super) const ENTRIES: &[Entry] = &[
    entry("", "Overview", "o", true, "M2 9h3v5H2zM6.5 5h3v9h-3zM11 2h3v12h-3z"),
    entry("live", "Live", "l", true, "M1 8h3l2-5 4 10 2-5h3"),
    entry("sessions", "Sessions", "s", false, "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3l2 2"),
    entry(
        "users",
        "Users",
        "u",
        true,
        "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 14a4.5 4.5 0 0 1 9 0M11 3a2.3 2.3 0 0 1 0 4.4M12.5 10a4.4 4.4 0 0 1 2 4",
    ),
    entry("features", "Features", "f", true, "M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z"),
    entry("endpoints", "Endpoints", "e", false, "M5 4 1.5 8 5 12M11 4l3.5 4L11 12M9 3 7 13"),
    entry("platforms", "Platforms", "p", false, "M1.5 3h13v8h-13zM5 14h6M8 11v3"),
    entry("errors", "Errors", "r", false, "M8 2 1.5 13.5h13zM8 6.5v3M8 11.4v.2"),
    entry("bots", "Bots", "b", false, "M3 6h10v7H3zM8 6V3M6 9v1M10 9v1M1.5 8.5v2M14.5 8.5v2"),
    entry(
        "settings",
        "Settings",
        "t",
        false,
        "M2 4h7M12 4h2M2 12h2M7 12h7M9.2 4a1.4 1.4 0 1 0 2.8 0 1.4 1.4 0 0 0-2.8 0zM4.2 12a1.4 1.4 0 1 0 2.8 0 1.4 1.4 0 0 0-2.8 0z",
    ),
];

/// The pages about people.
pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("users", "All users"),
    ("power-users", "Power users"),
    ("inactive-users", "Inactive"),
    ("retention", "Retention"),
    ("lifecycle", "Lifecycle"),
];

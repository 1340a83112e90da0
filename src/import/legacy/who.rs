/// Whose a record is, by its `discord_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    User,
    Visitor,
    Monitor,
}

impl Who {
    pub(super) fn of(discord_id: &str) -> Self {
        match discord_id {
            "" | "unknown" => Self::Visitor,
            MONITOR => Self::Monitor,
            _ => Self::User,
        }
    }
}

pub(super) const MONITOR: &str = "monitoring_service";

use rusqlite::Connection;

use crate::store::{Dimension, Value, version};

/// What the numbers of devices stand for.
#[derive(Default)]
pub(in crate::report) struct Devices(Vec<DeviceName>);

#[derive(Clone, Debug, Default)]
pub(in crate::report) struct DeviceName {
    pub(in crate::report) platform: String,
    pub(in crate::report) version: String,
    pub(in crate::report) name: String,
    pub(in crate::report) bot: String,
    pub(in crate::report) bot_reason: String,
}

impl Devices {
    pub(in crate::report) fn load(main: &Connection) -> rusqlite::Result<Self> {
        let mut statement = main.prepare_cached("select number, platform, app_version, name, bot, bot_reason from devices")?;
        let mut rows = statement.query([])?;
        let mut devices = Vec::new();
        while let Some(row) = rows.next()? {
            let place: u32 = row.get(0)?;
            let device =
                DeviceName { platform: row.get(1)?, version: row.get(2)?, name: row.get(3)?, bot: row.get(4)?, bot_reason: row.get(5)? };
            if devices.len() <= place as usize {
                devices.resize(place as usize + 1, DeviceName::default());
            }
            devices[place as usize] = device;
        }
        Ok(Self(devices))
    }

    pub(in crate::report) fn get(&self, number: u32) -> &DeviceName {
        const UNKNOWN: &DeviceName = &DeviceName {
            platform: String::new(),
            version: String::new(),
            name: String::new(),
            bot: String::new(),
            bot_reason: String::new(),
        };
        self.0.get(number as usize).unwrap_or(UNKNOWN)
    }

    pub(in crate::report) fn iter(&self) -> impl Iterator<Item = &DeviceName> {
        self.0.iter()
    }
}

impl DeviceName {
    pub(in crate::report) fn is_bot(&self) -> bool {
        !self.bot.is_empty()
    }

    /// What it counts under in a dimension of devices; none for people among bot classes.
    pub(in crate::report) fn value(&self, dimension: Dimension) -> Option<Value> {
        let name = |text: &str| Value::Name(text.into());
        match dimension {
            Dimension::Platform => Some(name(&self.platform)),
            Dimension::Version => Some(version(&self.platform, &self.version)),
            Dimension::Device => Some(name(&self.name)),
            Dimension::Bot => self.is_bot().then(|| name(&self.bot)),
            _ => Some(Value::Number(0)),
        }
    }
}

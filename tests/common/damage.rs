//! What becomes of files: cut short, overwritten, flipped.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
};

pub(crate) type Damage = fn(&Path);

/// None of which leaves nothing of the file.
pub(crate) const DAMAGES: [(&str, Damage); 3] =
    [("cut short", cut_short), ("overwritten at its head", overwritten), ("flipped in the middle", flipped)];

pub(crate) fn overwrite(file: &Path, at: u64, with: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(with).unwrap();
}

pub(crate) fn cut(file: &Path, to: u64) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(to).unwrap();
}

pub(crate) fn length(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}

pub(crate) fn cut_short(file: &Path) {
    cut(file, length(file) / 8192 * 4096);
}

pub(crate) fn overwritten(file: &Path) {
    overwrite(file, 0, &[0xa5; 8192]);
}

pub(crate) fn flipped(file: &Path) {
    overwrite(file, length(file) / 2, &[0xa5; 4096]);
}

//! A disk that is full under a service that records: requests go on, it is said, work is refused and leaves all as it was.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

use crate::{
    common::{as_child, child, until},
    legacy,
    running::{Done, files, run},
    service::Service,
};

/// The same test as root in a file system of its own.
pub(crate) fn mounted(how: &str, test: &str) {
    let directory = tempfile::tempdir().unwrap();
    let through = ["unshare", "-m", "sh", "-c", &format!("{how} && exec \"$0\" \"$@\"")];
    let output = child(&through, &std::env::current_exe().unwrap(), test, directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}

/// Takes all the room there is but so many bytes.
fn fill(filler: &Path, but: u64) {
    let mut file = File::create(filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    let length = file.metadata().unwrap().len();
    OpenOptions::new().write(true).open(filler).unwrap().set_len(length.saturating_sub(but)).unwrap();
}

fn work(place: &Path) -> Vec<(&'static str, Done)> {
    let commands: [(&str, &[&str]); 5] = [
        ("archive", &["archive", "--older-than", "90d"]),
        ("backup", &["backup", "disk/copy"]),
        ("vacuum", &["vacuum"]),
        ("import", &["import", "legacy", "panel"]),
        ("reprocess", &["reprocess"]),
    ];
    commands.map(|(name, args)| (name, run(place, &[args, &["--data", "disk/data"]].concat()))).into()
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_full_disk_stops_no_request_and_work_that_finds_no_room_says_so_and_changes_nothing() {
    let test = "full_disk::a_full_disk_stops_no_request_and_work_that_finds_no_room_says_so_and_changes_nothing";
    let Some(place) = as_child() else {
        return mounted("mkdir \"$TEST_CHILD/disk\" && mount -t tmpfs -o size=48m none \"$TEST_CHILD/disk\"", test);
    };
    let (data, filler) = (place.join("disk/data"), place.join("disk/filler"));
    crate::damaged::record(&data);
    legacy::set(3000, 7).write(&place.join("panel"));
    let mut service = Service::start(&data);
    service.send(500);
    service.writes_all();
    let hits = |service: &Service| service.json("/api/stats?days=100000")["total_hits"].as_u64().unwrap();
    until("all is counted", || hits(&service) == 3500);
    for room in [0, 64 << 10, 512 << 10] {
        fill(&filler, room);
        if room == 0 {
            service.send(3000);
            service.shows("faulted", "the disk is full, make room");
            service.send(3000);
            assert!(run(&place, &["doctor", "--data", "disk/data"]).out.contains("MB are free"));
        }
        for (name, done) in work(&place) {
            let is_said =
                done.err.contains("the disk is full, make room") || done.err.contains("not enough room") || done.err.contains("needs");
            assert!(done.code == 0 && room > 0 || done.code == 1 && is_said, "{name} with {room} bytes of room: {done:?}");
            println!("{name}, {room} bytes free: {} {}", done.code, done.err);
        }
        fs::remove_file(&filler).unwrap();
        service.writes_all();
        assert_eq!(service.json("/api/health")["detail"]["dropped"].as_array().unwrap().iter().filter(|drop| drop["hits"] != 0).count(), 0);
        let verified = run(&place, &["verify", "--data", "disk/data"]);
        assert_eq!(verified.code, 0, "with {room} bytes of room: {verified:?}");
        let left: Vec<_> = files(&data).into_iter().filter(|file| file.to_string_lossy().contains(".new")).collect();
        assert!(left.is_empty(), "{left:?}");
        drop(fs::remove_dir_all(place.join("disk/copy")));
    }
    // With room all of it is done.
    for (name, done) in work(&place) {
        assert_eq!(done.code, 0, "{name}: {done:?}");
    }
    assert!(service.counter("faults") > 0 && service.stop());
    run(&place, &["restore", "202401", "--data", "disk/data"]).good();
    assert_eq!(run(&place, &["verify", "--data", "disk/data"]).code, 0);

    // Whoever stops while nothing can be written hears what is lost.
    let mut service = Service::start(&data);
    service.send(100);
    service.writes_all();
    fill(&filler, 0);
    service.send(3000);
    service.shows("faulted", "the disk is full, make room");
    assert!(!service.stop());
    // And nobody starts there without a word.
    let error = Service::refused(&data);
    assert!(error.contains("disk is full"), "{error}");
    fs::remove_file(&filler).unwrap();
    let service = Service::start(&data);
    until("it records", || service.status() == "recording");
    run(&place, &["verify", "--data", "disk/data"]).good();
}

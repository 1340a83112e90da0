//! A file system that may only be read: what looks works, what writes says why not, and a service goes on answering.

use std::{fs, path::Path, process::Command};

use crate::{
    common::{as_child, oracle, until},
    full_disk::mounted,
    running::run,
    service::Service,
};

fn mount(args: &[&str], directory: &Path) {
    assert!(Command::new("mount").args(args).arg(directory).status().unwrap().success());
}

/// All that only looks.
const LOOKS: [&[&str]; 6] = [&["stats"], &["parts"], &["verify"], &["doctor"], &["export", "sessions"], &["export", "users"]];

#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn what_looks_works_on_a_read_only_file_system_and_what_writes_says_why_not() {
    let test = "read_only::what_looks_works_on_a_read_only_file_system_and_what_writes_says_why_not";
    let Some(place) = as_child() else {
        return mounted("mkdir \"$TEST_CHILD/disk\" && mount -t tmpfs -o size=64m none \"$TEST_CHILD/disk\"", test);
    };
    let disk = place.join("disk");
    for is_killed in [false, true] {
        let data = disk.join("data");
        crate::damaged::record(&data);
        let mut service = Service::start(&data);
        service.send(200);
        service.writes_all();
        match is_killed {
            true => service.kill(),
            false => assert!(service.stop()),
        }
        mount(&["-o", "remount,ro"], &disk);
        for args in LOOKS {
            let done = run(&place, &[args, &["--data", "disk/data"]].concat());
            let is_good = if args[0] == "doctor" {
                done.out.contains("the file system is read-only: nothing can be recorded")
            } else {
                done.code == 0
            };
            assert!(is_good && !done.out.is_empty() && !done.out.contains("cannot open"), "{args:?} after a kill: {is_killed}: {done:?}");
        }
        // What was recorded can be brought to safety, and worked on there.
        run(&place, &["backup", "copy", "--data", "disk/data"]).good();
        run(&place, &["reprocess", "--data", "copy"]).good();
        for args in
            [&["vacuum"][..], &["reprocess"], &["archive", "--older-than", "90d"], &["import", "legacy", "panel"], &["backup", "disk/copy"]]
        {
            let error = run(&place, &[args, &["--data", "disk/data"]].concat()).bad();
            assert!(error.contains("Read-only file system") && error.contains("check that it"), "{args:?}: {error}");
        }
        let error = Service::refused(&data);
        assert!(error.contains("cannot write in the data directory") && error.contains("Read-only file system"), "{error}");
        fs::remove_dir_all(place.join("copy")).unwrap();
        mount(&["-o", "remount,rw"], &disk);
        fs::remove_dir_all(&data).unwrap();
    }
}

/// The one that waits opens its files when the other one is gone: by then they may only be read.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_service_goes_on_when_its_file_system_may_be_written_again() {
    let test = "read_only::a_service_goes_on_when_its_file_system_may_be_written_again";
    let Some(place) = as_child() else {
        return mounted("mkdir \"$TEST_CHILD/disk\" && mount -t tmpfs -o size=64m none \"$TEST_CHILD/disk\"", test);
    };
    let (disk, data) = (place.join("disk"), place.join("disk/data"));
    let mut first = Service::start(&data);
    first.send(100);
    first.writes_all();
    let mut second = Service::start(&data);
    second.send(100);
    second.shows("waiting", "another process records");
    // Over it, as what is open for writing keeps it from being made read-only itself; and again if the lock is just being tried.
    mount(&["--bind", disk.to_str().unwrap()], &disk);
    until("it is read-only", || Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&disk).status().unwrap().success());
    first.kill();
    second.send(100);
    second.shows("faulted", "Read-only file system");
    second.send(100);
    assert!(Command::new("umount").arg("-l").arg(&disk).status().unwrap().success());
    second.writes_all();
    assert!(second.counter("faults") > 0 && second.stop());
    assert_eq!(run(&place, &["verify", "--data", "disk/data"]).code, 0);
    assert_eq!(oracle::check(&data), 400);
}

/// As a file system does that has found an error in itself: also what is open may not be written any more.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs root to mount"]
fn a_file_system_that_turns_read_only_under_a_service_stops_no_request() {
    let test = "read_only::a_file_system_that_turns_read_only_under_a_service_stops_no_request";
    let Some(place) = as_child() else {
        let make = "mkdir \"$TEST_CHILD/disk\" && truncate -s 64M \"$TEST_CHILD/image\" && mkfs.ext4 -q \"$TEST_CHILD/image\" && mount -o loop \"$TEST_CHILD/image\" \"$TEST_CHILD/disk\"";
        return mounted(make, test);
    };
    let (disk, data) = (place.join("disk"), place.join("disk/data"));
    let mut service = Service::start(&data);
    service.send(100);
    service.writes_all();
    mount(&["-o", "remount,abort"], &disk);
    service.send(100);
    service.shows("faulted", "read-only");
    service.send(100);
    assert!(service.counter("queued") >= 100 && service.counter("dropped_storage") == 0);
    assert!(!service.stop());
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    assert!(Command::new("mount").args(["-o", "loop"]).args([&place.join("image"), &disk]).status().unwrap().success());
    let mut service = Service::start(&data);
    service.send(10);
    service.writes_all();
    assert_eq!(run(&place, &["verify", "--data", "disk/data"]).code, 0);
    assert!(service.stop());
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
}

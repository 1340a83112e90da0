//! Two services on one directory: one records, the other waits, answers, and takes over however the first one ends.

use std::path::Path;

use tower_analytics::{Ask, Reports};

use crate::{
    common::{oracle, until},
    running::run,
    service::Service,
};

fn hits(data: &Path) -> u64 {
    Reports::open(data).unwrap().stats(&Ask::all_time()).unwrap().total_hits
}

#[test]
fn the_service_that_waits_takes_over_however_the_first_one_ends_and_commands_are_done_by_whoever_records() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let mut first = Service::start(&data);
    first.send(100);
    first.writes_all();
    let mut sent = 100;
    for (round, is_killed) in [false, true, true, false].into_iter().enumerate() {
        let mut second = Service::start(&data);
        second.send(50);
        second.shows("waiting", "another process records in the directory");
        first.send(20);
        first.writes_all();
        assert_eq!((first.status().as_str(), second.counter("written"), second.counter("queued")), ("recording", 0, 50));
        // Neither of the two is in the way of the other's commands, and readers of both see the same.
        run(place.path(), &["reprocess", "--data", "data"]).good();
        run(place.path(), &["user", "merge", &format!("{:0>100}", 2 * round), &format!("{:0>100}", 2 * round + 1), "--data", "data"])
            .good();
        run(place.path(), &["backup", &format!("copy {round}"), "--data", "data"]).good();
        run(place.path(), &["vacuum", "--data", "data"]).good();
        assert_eq!((second.counter("written"), second.status().as_str()), (0, "waiting"), "it did none of this");
        let all = |service: &Service| service.json("/api/stats?days=100000")["total_hits"].clone();
        until("readers see what was written", || all(&first) == sent + 20);
        assert_eq!(all(&second), sent + 20);
        match is_killed {
            true => first.kill(),
            false => assert!(first.stop()),
        }
        second.send(30);
        second.writes_all();
        (sent, first) = (sent + 100, second);
        until("what was written is counted", || hits(&data) == sent);
        assert_eq!((first.counter("faults"), first.json("/api/health")["detail"]["dropped"][0]["hits"].as_u64()), (0, Some(0)));
    }
    assert!(first.stop());
    assert_eq!((hits(&data), oracle::check(&data) as u64), (sent, sent));
    assert!(run(place.path(), &["verify", "--data", "data"]).code == 0);
}

#[test]
fn of_services_that_start_at_once_one_records_and_nobodys_hits_are_lost() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let mut services: Vec<Service> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(|| Service::start(&data))).collect();
        starting.into_iter().map(|service| service.join().unwrap()).collect()
    });
    services.iter_mut().for_each(|service| service.send(25));
    for left in (1..=4).rev() {
        until("one records", || services.iter().any(|service| service.status() == "recording"));
        let place = services.iter().position(|service| service.status() == "recording").unwrap();
        let others = services.iter().filter(|service| service.status() == "waiting").count();
        assert_eq!(others, left - 1);
        let service = services.remove(place);
        service.writes_all();
        assert!(service.stop());
    }
    assert_eq!((hits(&data), oracle::check(&data)), (100, 100));
}

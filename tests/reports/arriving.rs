//! Pages of a list while data arrives.

use serde::Serialize;
use tower_analytics::{
    Answer, Ask, Error, Page,
    report::{Power, UserOrder},
};

use crate::brute::traffic::Traffic;

/// Thirty people with a session each, a minute apart; of each page the rows' field, and between two pages `arrive`.
fn paged<T: Serialize>(list: &str, field: &str, ask: impl Fn(&Traffic, &Page) -> Result<Answer<T>, Error>) -> Vec<String> {
    let traffic = Traffic::new("UTC", "2026-10-31T23:40:00Z");
    for n in 0..30 {
        // Over the edge of a month, too.
        let minute = 40 + n;
        let day = if minute < 60 { "2026-10-31T23" } else { "2026-11-01T00" };
        traffic.hit(&format!("u{n:02}"), ("GET", "/items"), &format!("{day}:{:02}:00Z", minute % 60));
    }
    traffic.settle();
    let (mut page, mut seen) = (Page::first(7), Vec::new());
    for round in 0.. {
        let answer = serde_json::to_value(&*ask(&traffic, &page).unwrap()).unwrap();
        seen.extend(answer[list].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()));
        let Some(next) = answer["next_cursor"].as_str() else { break };
        page = page.after(next).unwrap();
        // New people come, and old ones again, and the order of whatever moves is another.
        let at = format!("2026-11-01T0{}:30:00Z", round + 1);
        traffic.hit(&format!("new{round}"), ("GET", "/items"), &at);
        for n in [3, 12, 20, 27] {
            traffic.hit(&format!("u{n:02}"), ("GET", "/items/{id}"), &at);
        }
        traffic.settle();
    }
    seen
}

fn is_said_once(seen: &[String]) {
    let mut once = seen.to_vec();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "{seen:?}");
}

#[test]
fn a_list_of_sessions_repeats_and_skips_none_while_data_arrives() {
    let seen = paged("sessions", "session_id", |traffic, page| traffic.analytics.reports().sessions(&Ask::all_time(), page));
    let november = (1..=10).rev().map(|n| format!("202611-{n}"));
    let october = (1..=20).rev().map(|n| format!("202610-{n}"));
    assert_eq!(seen, november.chain(october).collect::<Vec<_>>());
}

#[test]
fn a_list_of_users_in_order_of_first_sight_repeats_and_skips_none_while_data_arrives() {
    let ask = |traffic: &Traffic, page: &Page| traffic.analytics.reports().users(&Ask::all_time(), UserOrder::FirstSeen, page);
    let seen = paged("users", "user_id", ask);
    assert_eq!(seen, (0..30).rev().map(|n| format!("u{n:02}")).collect::<Vec<_>>());
}

#[test]
fn lists_in_an_order_that_moves_repeat_nobody_while_data_arrives() {
    for order in [UserOrder::LastSeen, UserOrder::Actions, UserOrder::Sessions] {
        is_said_once(&paged("users", "user_id", |traffic, page| traffic.analytics.reports().users(&Ask::last_days(30), order, page)));
    }
    for by in [Power::Actions, Power::Features] {
        is_said_once(&paged("users", "user_id", |traffic, page| traffic.analytics.reports().power_users(&Ask::last_days(30), by, page)));
    }
}

#[test]
fn pages_of_a_session_go_on_where_they_ended_while_it_goes_on() {
    let traffic = Traffic::new("UTC", "2026-11-02T10:00:00Z");
    let hit = |minute: usize| traffic.hit("ann", ("GET", "/items"), &format!("2026-11-02T10:{minute:02}:00Z"));
    (0..6).for_each(hit);
    traffic.settle();
    let (mut page, mut seen) = (Page::first(4), Vec::new());
    loop {
        let session = traffic.analytics.reports().session("202611-1", &page).unwrap().into_inner().unwrap();
        seen.extend(session.actions.iter().map(|action| action.at));
        let Some(next) = session.next_cursor else { break };
        page = page.after(&next).unwrap();
        if seen.len() == 4 {
            (6..10).for_each(hit);
            traffic.settle();
        }
    }
    assert_eq!(seen.len(), 10);
    assert!(seen.is_sorted_by(|a, b| a < b));
}

/// Whose hits lie far from each other: each page looks as far back as it must, and no further.
#[test]
fn pages_of_sessions_with_a_rare_hit_repeat_and_skip_none() {
    let traffic = Traffic::new("UTC", "2026-11-02T10:00:00Z");
    for minute in 0..60 {
        for n in 0..20 {
            // Every fifth begins later; every third does it, long after it began.
            if n % 5 != 0 || minute >= n {
                let is_rare = n % 3 == 0 && minute == 30 + n;
                let route = if is_rare { "/rare" } else { "/items" };
                traffic.hit(&format!("u{n:02}"), ("GET", route), &format!("2026-11-02T10:{minute:02}:00Z"));
            }
        }
    }
    traffic.settle();
    let users = |ask: &Ask, limit: usize| {
        let (mut page, mut seen) = (Page::first(limit), Vec::new());
        loop {
            let found = traffic.analytics.reports().sessions(ask, &page).unwrap().into_inner();
            seen.extend(found.sessions.into_iter().map(|row| row.user_id.unwrap()));
            let Some(next) = found.next_cursor else { break };
            page = page.after(&next).unwrap();
        }
        seen
    };
    let rare = Ask::all_time().endpoint("GET /rare");
    let mut all = users(&Ask::all_time(), 1000);
    assert_eq!(all.len(), 20);
    all.retain(|user| user[1..].parse::<u32>().unwrap().is_multiple_of(3));
    assert_eq!(all.len(), 7);
    for limit in [1, 2, 3, 1000] {
        assert_eq!(users(&rare, limit), all, "{limit} at once");
    }
    assert_eq!(users(&rare.from("2026-11-02T10:05:00Z").unwrap(), 2), ["u15"], "of those that began later");
}

//! Prints how long each question takes, in milliseconds: the median of some runs, and the same of raw rows in SQL.
//!
//! `questions [NAME]`: those alone whose names contain that. With `BEST` in the environment the fastest run, with `NO_RAW` no SQL.

use tower_analytics_benches::questions::{Asked, QUESTIONS, Year, median};

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let with_raw = std::env::var_os("NO_RAW").is_none();
    let years = Year::both();
    println!("{:<18}{:>12}{:>12}{:>12}{:>12}   raw rows in SQL", "ms", "30 d 1 M", "30 d 10 M", "all 1 M", "all 10 M");
    for question in QUESTIONS.iter().filter(|question| question.name.contains(&only)) {
        let both = [Asked::Days30, Asked::AllTime].into_iter().flat_map(|asked| years.iter().map(move |year| (year, asked)));
        print!("{:<18}", question.name);
        for (year, asked) in both.clone() {
            print!("{:>12.2}", median(15, || year.ask(question, asked)).as_secs_f64() * 1e3);
        }
        print!("  ");
        for (year, asked) in both.filter(|_| with_raw) {
            let mut is_written = true;
            let time = median(3, || is_written = year.ask_raw(question, asked));
            if is_written {
                print!(" {:>9.1}", time.as_secs_f64() * 1e3);
            }
        }
        println!();
    }
}

//! The dashboard as a server of its own: `cargo run --release --example standalone -- --demo`.

fn main() -> std::process::ExitCode {
    tower_analytics::cli::serve::main()
}

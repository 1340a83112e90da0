//! The `tower-analytics` program; see `src/cli/`.

fn main() -> std::process::ExitCode {
    tower_analytics::cli::main()
}

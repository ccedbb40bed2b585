//! The program: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

/// Scanning is thousands of small pieces of memory, taken and given back by several threads at once.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(ecr_rewrite::cli::run(std::env::args_os()).code())
}

//! The `hearken` program: arguments to a command, its result to an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    hearken::cli::main()
}

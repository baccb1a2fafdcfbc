//! The `hearken` program: arguments to a command, its result to an exit status.

use std::process::ExitCode;

/// Calls come and go by the thousand with many small texts each; the system's allocator spends a sixth of the
/// control thread's time on them and leaves the memory of a busy hour in pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hearken::cli::main()
}

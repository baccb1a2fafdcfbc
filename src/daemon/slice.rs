//! How soon this thread runs once it is woken: a matter of the scheduler's slices.
//!
//! The thread that does all calls works for microseconds, and shares its core with threads that send sound for
//! milliseconds. By a shorter slice than theirs Linux (from 6.12) lets it run before their slices are over; it gets no
//! larger share of the core by that. An older kernel takes the request and does not heed it. Threads that it starts have
//! what it has.

// What the libraries for system calls have of scheduling has no slices.
#![allow(unsafe_code)]

use std::io;
use std::time::Duration;

/// The shortest that Linux knows.
const SLICE: Duration = Duration::from_micros(100);

/// `struct sched_attr` of sched_setattr(2), as of its first version.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for the shortest slice for this thread, or the usual one; its priority stays as it is.
pub(super) fn set(short: bool) {
    if let Err(error) = ask(if short { SLICE } else { Duration::ZERO }) {
        tracing::debug!(%error, "this thread runs as soon as any other");
    }
}

fn ask(slice: Duration) -> io::Result<()> {
    const SIZE: u32 = size_of::<Attributes>() as u32;
    let mut attributes = Attributes::default();
    // SAFETY: the kernel writes no more than SIZE bytes, which is how long the structure is; 0 is this thread.
    let known = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, SIZE, 0) };
    if known != 0 {
        return Err(io::Error::last_os_error());
    }
    if attributes.policy != libc::SCHED_OTHER as u32 {
        // Whoever gave it another policy knows better.
        return Ok(());
    }
    attributes.size = SIZE;
    attributes.runtime = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
    // SAFETY: the kernel reads `size` bytes of the structure; 0 is this thread.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_thread_may_have_a_shorter_slice_and_keeps_its_priority() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        ask(SLICE).unwrap();
        assert_eq!(nice(), before);
        ask(Duration::ZERO).unwrap();
    }
}

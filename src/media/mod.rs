//! Media threads: few ports, many calls.

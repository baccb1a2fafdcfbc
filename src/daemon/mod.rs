//! The driver of the switch in real time.

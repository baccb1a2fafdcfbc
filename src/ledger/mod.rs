//! Records of calls, written without ever holding up the switch, and reports from them.

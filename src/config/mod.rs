//! The configuration: TOML as written, then a resolved and validated plan.

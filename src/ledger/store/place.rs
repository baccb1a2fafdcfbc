//! Where a ledger is: a file, or a database on a server.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio_postgres::config::Host;

use crate::ledger::Error;

/// What the name of a server begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Where a ledger is.
#[derive(Clone)]
pub(in crate::ledger) enum Place {
    File(PathBuf),
    Server(Box<tokio_postgres::Config>),
}

impl Place {
    /// A name that begins with `postgres://` is a server's, any other a file's.
    pub(in crate::ledger) fn of(name: &Path) -> Result<Place, Error> {
        let server = name.to_str().filter(|name| SCHEMES.iter().any(|scheme| name.starts_with(scheme)));
        match server {
            Some(url) => Ok(Place::Server(Box::new(url.parse().map_err(Error::Server)?))),
            None => Ok(Place::File(name.to_owned())),
        }
    }
}

/// Without the password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Server(config) => {
                write!(f, "postgres://")?;
                match config.get_hosts().first() {
                    Some(Host::Tcp(host)) => write!(f, "{host}")?,
                    Some(Host::Unix(directory)) => write!(f, "{}", directory.display())?,
                    None => {}
                }
                write!(f, "/{}", config.get_dbname().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_server_is_told_from_a_file_and_its_password_is_not_shown() {
        let shown = |name: &str| Place::of(Path::new(name)).unwrap().to_string();
        assert_eq!(shown("postgres://hearken:secret@db.example:5433/calls"), "postgres://db.example/calls");
        assert_eq!(shown("postgresql://%2Frun%2Fpostgresql/calls"), "postgres:///run/postgresql/calls");
        assert_eq!(shown("postgres.db"), "postgres.db");
        assert!(Place::of(Path::new("postgres://host:port/x")).is_err());
    }
}

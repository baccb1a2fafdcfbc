//! How callers' numbers are stored: keyed hashes, as they are, or not at all.
//!
//! A hash is HMAC-SHA256 over the number as the record has it (E.164 where it could be normalised), in 64
//! lower-case hexadecimal digits: equal numbers give equal hashes, so repeat callers can be counted. There
//! are few enough telephone numbers to try them all, so what protects them is the key. It is 32 random
//! bytes in a file of their own, made at the first start with mode 0600; whoever deletes it makes every
//! stored hash unreadable for good.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Error, private_file};
use crate::octets::hex;

/// How callers' numbers are stored.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum CliStorage {
    /// As keyed hashes.
    #[default]
    Hash,
    /// As they are.
    Plain,
    /// Not at all.
    None,
}

const KEY_BYTES: usize = 32;

/// After the key could not be had, how long until it is tried again.
const KEY_RETRY: Duration = Duration::from_secs(10);

/// The secret under which callers' numbers are hashed.
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key in the file at `path`; a missing file is made. A file of another length than 32 bytes is an error.
    pub fn at(path: &Path) -> Result<Key, Error> {
        match read(path) {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                create(path)?;
                read(path)
            }
            other => other,
        }
    }

    /// The stored form of a number.
    pub fn hash(&self, number: &str) -> String {
        let digest = self.0.clone().chain_update(number.as_bytes()).finalize().into_bytes();
        hex(&digest)
    }
}

/// Whether the stored form of a number is a hash, and not the number itself.
pub fn is_hash(stored: &str) -> bool {
    stored.len() == 64 && stored.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read(path: &Path) -> Result<Key, Error> {
    // A key that belongs to another user may be shared with us by its group: then its mode is not ours to set.
    let _ = private_file::tighten(path);
    let mut bytes = Vec::with_capacity(KEY_BYTES);
    let file = fs::File::open(path).map_err(Error::file(path))?;
    let found = file.metadata().map_err(Error::file(path))?.len();
    file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(Error::file(path))?;
    if bytes.len() != KEY_BYTES {
        return Err(Error::KeyLength { path: path.to_owned(), found, expected: KEY_BYTES });
    }
    let mac = Hmac::<Sha256>::new_from_slice(&bytes).expect("HMAC takes a key of any length");
    Ok(Key(mac))
}

/// Makes a key whole or not at all: under a name of its own first, then linked, so that neither a crash nor
/// another process can leave half a key or replace one that exists.
fn create(path: &Path) -> Result<(), Error> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
    let draft = private_file::beside(path, &format!(".{}", std::process::id()));
    let made = (|| {
        let mut file = private_file::create_new(&draft)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
            _ => private_file::sync_parent(path),
        }
    })();
    // The draft has done its work, or is half a key that nobody will read.
    let _ = fs::remove_file(&draft);
    made.map_err(Error::file(path))
}

/// Turns numbers into what is stored, on the writer's thread.
pub(super) enum Sealer {
    Hash { path: PathBuf, key: Option<Key>, retry_at: Option<Instant> },
    Plain,
    Omit,
}

impl Sealer {
    pub(super) fn new(storage: CliStorage, key_path: PathBuf) -> Sealer {
        match storage {
            CliStorage::Hash => Sealer::Hash { path: key_path, key: None, retry_at: None },
            CliStorage::Plain => Sealer::Plain,
            CliStorage::None => Sealer::Omit,
        }
    }

    /// Has the key read if it is needed and was not had yet; an error at most once in [`KEY_RETRY`].
    pub(super) fn prepare(&mut self, now: Instant) -> Result<(), Error> {
        let Sealer::Hash { path, key: key @ None, retry_at } = self else { return Ok(()) };
        if retry_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        *retry_at = Some(now + KEY_RETRY);
        *key = Some(Key::at(path)?);
        Ok(())
    }

    /// What is stored for `number`: nothing when it should be hashed and there is no key.
    pub(super) fn seal(&self, number: String) -> Option<String> {
        match self {
            Sealer::Hash { key, .. } => key.as_ref().map(|key| key.hash(&number)),
            Sealer::Plain => Some(number),
            Sealer::Omit => None,
        }
    }

    /// Whether a number given now would be dropped for want of a key.
    pub(super) fn lacks_key(&self) -> bool {
        matches!(self, Sealer::Hash { key: None, .. })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn equal_numbers_hash_alike_and_other_keys_hash_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (Key::at(&dir.path().join("a")).unwrap(), Key::at(&dir.path().join("b")).unwrap());
        let again = Key::at(&dir.path().join("a")).unwrap();
        assert_eq!(a.hash("+442079460123"), again.hash("+442079460123"));
        assert_ne!(a.hash("+442079460123"), a.hash("+442079460124"));
        assert_ne!(a.hash("+442079460123"), b.hash("+442079460123"));
        assert_eq!(a.hash("+442079460123").len(), 64);
    }

    /// RFC 4231, 4.2, with its 20-byte key: HMAC-SHA256 takes any.
    #[test]
    fn the_hash_is_hmac_sha256() {
        let key = Key(Hmac::new_from_slice(&[0x0b; 20]).unwrap());
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(key.hash("Hi There"), expected);
    }

    #[test]
    fn a_new_key_has_32_bytes_and_mode_0600_and_leaves_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cli.key");
        Key::at(&path).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.len(), found.permissions().mode() & 0o777), (32, 0o600));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_open_to_others_is_closed_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cli.key");
        fs::write(&path, [7; 32]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        Key::at(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_of_another_length_is_refused_by_name_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for length in [0, 31, 33, 4096] {
            let path = dir.path().join(format!("{length}.key"));
            fs::write(&path, vec![7; length]).unwrap();
            let text = Key::at(&path).err().unwrap().to_string();
            let said = format!(".key: a key for callers' numbers has 32 bytes, this file has {length}");
            assert!(text.ends_with(&said), "{text}");
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
    }

    #[test]
    fn a_key_that_comes_late_is_picked_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("not-mounted/cli.key");
        let mut sealer = Sealer::new(CliStorage::Hash, path.clone());
        let now = Instant::now();
        assert!(sealer.prepare(now).is_err());
        assert_eq!(sealer.seal("+442079460123".into()), None);
        assert!(sealer.prepare(now).is_ok(), "it complains once, not at each record");
        fs::create_dir(path.parent().unwrap()).unwrap();
        sealer.prepare(now + KEY_RETRY).unwrap();
        assert!(!sealer.lacks_key());
        assert_eq!(sealer.seal("+442079460123".into()).unwrap().len(), 64);
    }
}

//! Clips and the ledger: the files that a deployment reads and writes.

use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_spanned::Spanned;
use tokio_postgres::config::{Host, SslMode};

use super::super::deployment::{ClipFile, FlightSettings, LedgerSettings, StoredCli};
use super::super::nearest::nearest;
use super::super::plain;
use super::super::sink::Sink;
use super::super::table::{Named, shown};
use super::super::written::{Clip, Flight, Ledger, Practice};
use crate::call::speech::Prompt;

/// How many names of a directory are looked at for a suggestion.
const MOST_NEIGHBOURS: usize = 1_000;

/// The clips, each a file that can be read.
pub(super) fn clips(written: &Named<Clip>, base: &Path, sink: &mut Sink) -> Vec<ClipFile> {
    let mut clips = Vec::with_capacity(written.len());
    for (name, clip) in written {
        let Some(file) = &clip.file else { continue };
        let path = base.join(file.get_ref());
        check_readable(file, &path, sink);
        clips.push(ClipFile { name: name.get_ref().clone(), path });
    }
    clips
}

/// What the name of a database on a server begins with.
const SERVER: [&str; 2] = ["postgres://", "postgresql://"];

/// Where the ledger is; the key, the side file and the plans stand beside it unless they are told otherwise. Of a database on a
/// server they lie where Hearken is started.
pub(super) fn ledger(written: &Ledger, practices: &Named<Practice>, sink: &mut Sink) -> LedgerSettings {
    let stated = [&written.path, &written.cli_key, &written.side_file];
    stated.into_iter().flatten().for_each(|text| check_path(text, sink));
    let or = |text: &Option<Spanned<String>>, default: PathBuf| {
        text.as_ref().map_or(default, |text| PathBuf::from(text.get_ref()))
    };
    let path = or(&written.path, PathBuf::from("hearken.db"));
    let server =
        written.path.as_ref().filter(|text| SERVER.iter().any(|word| text.get_ref().starts_with(word)));
    if let Some(text) = server {
        check_server(text, sink);
    }
    let beside = if server.is_some() { Path::new("hearken.db") } else { &path };
    let key_path = or(&written.cli_key, beside.with_extension("key"));
    let side_file = or(&written.side_file, beside.with_extension("side"));
    let plans = beside.with_extension("plans");
    let clash =
        [(&key_path, &path), (&side_file, &path), (&side_file, &key_path)].iter().any(|(a, b)| a == b);
    let place = stated.into_iter().rev().flatten().next();
    if clash && let Some(place) = place {
        sink.error(place.span(), "database, key and side file must be three different files");
    }
    if let (Some(key), StoredCli::Plain | StoredCli::None) = (&written.cli_key, written.cli) {
        sink.warning(key.span(), "`cli-key` is used only with cli = \"hash\"");
    }
    // As records have their practices.
    let stored = |key: &Spanned<String>, practice: &Practice| {
        let name = practice.ods.as_ref().or(practice.name.as_ref()).unwrap_or(key);
        Some((name.get_ref().clone(), practice.keep?))
    };
    LedgerSettings {
        path,
        cli: written.cli,
        key_path,
        spool: written.spool as usize,
        side_file,
        plans,
        keep_plans: written.keep_plans as usize,
        keep: written.keep,
        keep_of: practices.iter().filter_map(|(key, practice)| stored(key, practice)).collect(),
    }
}

/// A server that can be connected to, as far as its name tells.
fn check_server(text: &Spanned<String>, sink: &mut Sink) {
    let config = match text.get_ref().parse::<tokio_postgres::Config>() {
        Ok(config) => config,
        Err(error) => {
            sink.error(text.span(), format!("this names no database on a server: {error}")).help(
                "write \"postgres://USER@HOST/DATABASE\", or \"postgres:///DATABASE?host=/run/postgresql\"",
            );
            return;
        }
    };
    let tunnel = "reach it by a socket on this host, or by a tunnel that encrypts, such as stunnel";
    if config.get_ssl_mode() == SslMode::Require {
        sink.error(text.span(), "this version speaks no TLS to a server").help(tunnel);
    }
    let is_here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    };
    if !config.get_hosts().iter().all(is_here) {
        sink.warning(text.span(), "what is sent to this server is not encrypted").help(tunnel);
    }
    if config.get_user().is_none() || config.get_hosts().is_empty() {
        sink.error(text.span(), "the name of a server's database has a user and a host");
    }
}

/// Where the flight log is, unless it is switched off.
pub(super) fn flight(written: &Flight, sink: &mut Sink) -> Option<FlightSettings> {
    if let Some(text) = &written.directory {
        check_path(text, sink);
    }
    let directory = written.directory.as_ref().map_or("flight", |text| text.get_ref());
    let Flight { keep_for, keep_size, snapshot_every, .. } = *written;
    let settings = FlightSettings { directory: directory.into(), keep_for, keep_size, snapshot_every };
    written.on.then_some(settings)
}

fn check_path(text: &Spanned<String>, sink: &mut Sink) {
    if text.get_ref().is_empty() || text.get_ref().contains('\0') {
        sink.error(text.span(), "this is no path");
    }
}

/// The directory of the prompts, with every one of them in it; `None` for those that are built in.
pub(super) fn prompts(written: Option<&Spanned<String>>, base: &Path, sink: &mut Sink) -> Option<PathBuf> {
    let directory = written?;
    let path = base.join(directory.get_ref());
    let missing: Vec<_> =
        Prompt::ALL.iter().map(|prompt| prompt.file()).filter(|file| !path.join(file).is_file()).collect();
    if let Some(first) = missing.first() {
        let more = if missing.len() > 1 { format!(" and {} more", missing.len() - 1) } else { String::new() };
        let name = shown(directory.get_ref());
        sink.error(directory.span(), format!("the directory `{name}` lacks the prompt {first}{more}"))
            .help("copy the directory of prompts that comes with Hearken, and replace single files");
    }
    Some(path)
}

fn check_readable(file: &Spanned<String>, path: &Path, sink: &mut Sink) {
    if file.get_ref().is_empty() {
        sink.error(file.span(), "this is no path");
        return;
    }
    let failed = match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => "it is no file".to_owned(),
        Ok(_) => match File::open(path) {
            Ok(_) => return,
            Err(error) => plain(&error),
        },
        Err(error) => plain(&error),
    };
    let meant = if sink.has_room() { neighbour(file.get_ref(), path) } else { None };
    sink.error(file.span(), format!("the clip `{}` cannot be read: {failed}", shown(file.get_ref())))
        .suggest(meant)
        .help("a path that is not absolute is looked for from the configuration file's directory");
}

/// The text of a path with its last part replaced by the nearest name that is there.
pub(super) fn neighbour(written: &str, path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let entries = std::fs::read_dir(path.parent()?).ok()?.take(MOST_NEIGHBOURS);
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let near = nearest(wanted, names.iter().map(String::as_str))?;
    written.strip_suffix(wanted).map(|start| format!("{start}{near}"))
}

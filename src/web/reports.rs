//! Reports from the ledger: what was asked for, when it is made, and how it is sent.
//!
//! Calls come first. One report at a time is made, on a thread of its own, which is to give way to all others; as many as
//! may wait for that, and whoever comes then is told when to come again. What is read is read for so long at
//! most: while somebody reads, the log of the ledger's database only grows. For the same reason there is a rest after
//! each report.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::problem::Problem;
use super::stream::Chunks;
use super::{Unwanted, locked};

/// How long one may take.
const LONGEST: Duration = Duration::from_secs(20);
/// How many bytes one may have: some 50,000 calls.
const LARGEST: usize = 16 * 1024 * 1024;
/// How many are made, wait for it, or are being sent.
const MOST: usize = 8;
/// After how many seconds it is worth coming again.
const AGAIN: u64 = 5;
/// How long it rests after a report, at most; else as long as that took.
const REST: Duration = Duration::from_millis(500);
/// How much is handed to a client at once, and within what time it must take that.
const CHUNK: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// What a report is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Outcomes and waits.
    Waits,
    /// Cloud-based telephony.
    Cbt,
    /// Ambulance Systems Indicators.
    Ambsys,
    /// IUC ADC.
    Iuc,
    /// The GP contract.
    Gp,
    /// The half hours of the day.
    Day,
    /// Single calls.
    Calls,
}

/// How a report is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// A picture.
    Svg,
    /// For programs that take many calls.
    Parquet,
}

/// What was asked for, as the query has it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What about.
    pub kind: Kind,
    /// In what format: one of the kind's.
    pub format: Format,
    /// The first day or instant.
    pub from: String,
    /// The last day, or the instant before which it ends.
    pub to: String,
    /// What figures are told apart by.
    pub by: Option<String>,
    /// Of whose calls.
    pub practice: Option<String>,
    /// The figure whose calls are meant.
    pub trace: Option<String>,
}

/// How long a report is worked at.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Until when at most.
    pub until: Instant,
    /// Set when nobody waits for it any more.
    pub unwanted: Arc<AtomicBool>,
}

/// Why there is no report; each with what is said to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReport {
    /// What was asked for makes no sense.
    Wrong(String),
    /// There is nothing of that name.
    Unknown(String),
    /// The limit was reached.
    Stopped,
    /// It cannot be made now.
    Failed(String),
}

/// Whose reports there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The zone that days are reckoned in.
    pub zone: String,
    /// The day that it is there.
    pub today: String,
    /// The practices.
    pub practices: Vec<Practice>,
}

/// A practice, for people to choose from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Practice {
    /// What people call it.
    pub name: String,
    /// Its ODS code; its name in the configuration where it has none.
    pub code: String,
}

/// Makes reports; each on a thread of its own, whose priority is the maker's to lower.
pub trait Reports: Send + Sync {
    /// Whose there are.
    fn offer(&self) -> Offer;
    /// Writes one within the limit.
    fn write(&self, asked: &Asked, limit: &Limit, out: &mut Answer) -> Result<(), NoReport>;
}

impl Kind {
    /// Its formats, the usual one first.
    pub(super) fn formats(self) -> &'static [Format] {
        match self {
            Kind::Waits | Kind::Cbt | Kind::Ambsys | Kind::Iuc | Kind::Gp => &[Format::Json, Format::Csv],
            Kind::Day => &[Format::Json, Format::Csv, Format::Svg],
            Kind::Calls => &[Format::Csv, Format::Json, Format::Parquet],
        }
    }

    /// What a query may say beside `from`, `to`, `practice` and `format`.
    pub(super) fn own_keys(self) -> &'static [&'static str] {
        match self {
            Kind::Waits | Kind::Ambsys | Kind::Iuc | Kind::Gp => &["by"],
            Kind::Cbt | Kind::Day => &[],
            Kind::Calls => &["trace"],
        }
    }

    /// Its word in a path.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Waits => "waits",
            Kind::Cbt => "cbt",
            Kind::Ambsys => "ambsys",
            Kind::Iuc => "iuc",
            Kind::Gp => "gp",
            Kind::Day => "day",
            Kind::Calls => "calls",
        }
    }
}

impl Format {
    /// Its word in a query.
    pub(super) fn word(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Svg => "svg",
            Format::Parquet => "parquet",
        }
    }

    /// What an answer says that it is.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Svg => "image/svg+xml",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// What every report can be asked.
pub(super) const KEYS: [&str; 4] = ["from", "to", "practice", "format"];

/// Reads a query; whatever it says has to be known, and said once.
pub(super) fn read(kind: Kind, query: Vec<(String, String)>) -> Result<Asked, Problem> {
    let known: Vec<&str> = KEYS.iter().chain(kind.own_keys()).copied().collect();
    for (at, (key, _)) in query.iter().enumerate() {
        if !known.contains(&key.as_str()) {
            let known = known.join("`, `");
            return Err(Problem::bad(format!(
                "`{key}` is nothing that this report is asked; there are `{known}`"
            )));
        }
        if query[..at].iter().any(|(before, _)| before == key) {
            return Err(Problem::bad(format!("`{key}` is there twice")));
        }
    }
    let said = |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let needed = |key: &str, what: &str| {
        said(key).ok_or_else(|| {
            Problem::bad(format!("`{key}` is missing: {what}, as 2026-11-16 or 2026-11-16T08:00:00Z"))
        })
    };
    let formats = kind.formats();
    let format = match said("format") {
        None => formats[0],
        Some(word) => *formats.iter().find(|format| format.word() == word).ok_or_else(|| {
            let known: Vec<&str> = formats.iter().map(|format| format.word()).collect();
            Problem::bad(format!(
                "reports/{} has no format `{word}`; it has `{}`",
                kind.word(),
                known.join("`, `")
            ))
        })?,
    };
    if format == Format::Parquet && said("trace").is_some() {
        return Err(Problem::bad("a trace has no format `parquet`; it has `csv`, `json`"));
    }
    Ok(Asked {
        kind,
        format,
        from: needed("from", "the first day or instant")?,
        to: needed("to", "the last day, or the instant before which it ends")?,
        by: said("by"),
        practice: said("practice"),
        trace: said("trace"),
    })
}

/// What makes reports, and who waits for them.
pub(super) struct Bureau {
    maker: Mutex<Option<Arc<dyn Reports>>>,
    turn: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Bureau {
    fn default() -> Bureau {
        let [turn, places] = [1, MOST].map(|permits| Arc::new(Semaphore::new(permits)));
        Bureau { maker: Mutex::default(), turn, places }
    }
}

impl Bureau {
    pub(super) fn open(&self, maker: Arc<dyn Reports>) {
        *locked(&self.maker) = Some(maker);
    }

    fn maker(&self) -> Result<Arc<dyn Reports>, Problem> {
        locked(&self.maker).clone().ok_or_else(|| Problem::not_found("this daemon makes no reports"))
    }

    /// Whose reports there are.
    pub(super) fn offer(&self) -> Result<Offer, Problem> {
        Ok(self.maker()?.offer())
    }

    /// Has a report made, in turn.
    pub(super) async fn make(&self, asked: Asked) -> Result<Response, Problem> {
        let maker = self.maker()?;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place
            .map_err(|_| Problem::busy("as many reports as may are being made; wait a moment", AGAIN))?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| Problem::gone())?;
        let (kind, format) = (asked.kind, asked.format);
        let unwanted = Unwanted::default();
        let limit = Limit { until: Instant::now() + LONGEST, unwanted: Arc::clone(&unwanted.0) };
        let (tell, told) = oneshot::channel();
        let begun = thread::Builder::new().name("report".into()).spawn(move || {
            let begun = Instant::now();
            let mut answer = Answer::default();
            let made = maker.write(&asked, &limit, &mut answer).map(|()| answer.bytes);
            let _ = tell.send(if answer.is_full { Err(None) } else { made.map_err(Some) });
            thread::sleep(begun.elapsed().min(REST));
            drop(turn);
        });
        begun.map_err(|_| Problem::busy("there is no room for a report now", AGAIN))?;
        let made = told.await.map_err(|_| failed("the report could not be made"))?;
        drop(unwanted);
        let bytes = made.map_err(|why| match why {
            Some(why) => problem(why),
            None => Problem::bad(format!(
                "this report is larger than {LARGEST} bytes: ask for fewer days or one practice"
            )),
        })?;
        Ok(respond(kind, format, bytes, place))
    }
}

fn problem(why: NoReport) -> Problem {
    match why {
        NoReport::Wrong(why) => Problem::bad(why),
        NoReport::Unknown(why) => Problem::not_found(why),
        NoReport::Stopped => {
            let seconds = LONGEST.as_secs();
            let detail = format!(
                "this report took longer than {seconds} s: ask for fewer days, or use `hearken report`"
            );
            Problem::busy(detail, 60)
        }
        NoReport::Failed(why) => failed(why),
    }
}

fn failed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

/// A report as it is written, in memory.
#[derive(Debug, Default)]
pub struct Answer {
    bytes: Vec<u8>,
    /// Whether it is larger than it may be.
    is_full: bool,
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_full |= self.bytes.len() + bytes.len() > LARGEST;
        if self.is_full {
            return Err(io::Error::other("the report is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn respond(kind: Kind, format: Format, bytes: Vec<u8>, place: OwnedSemaphorePermit) -> Response {
    let length = bytes.len();
    let mut response = Response::new(sent(bytes.into(), place));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    // Whoever is let go before the end can see that there was more.
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if matches!(format, Format::Csv | Format::Parquet) {
        let name = format!("attachment; filename=\"{}.{}\"", kind.word(), format.word());
        headers.extend(HeaderValue::try_from(name).ok().map(|name| (header::CONTENT_DISPOSITION, name)));
    }
    response
}

/// A body; a long one keeps its place until the client has taken it, or has taken too long.
fn sent(bytes: Bytes, place: OwnedSemaphorePermit) -> Body {
    if bytes.len() <= CHUNK {
        return Body::from(bytes);
    }
    let (chunks, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut rest = bytes;
        while !rest.is_empty() {
            let chunk = rest.split_to(CHUNK.min(rest.len()));
            if !matches!(tokio::time::timeout(PATIENCE, chunks.send(chunk)).await, Ok(Ok(()))) {
                break;
            }
        }
        drop(place);
    });
    Body::new(Chunks(taken))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn asked(kind: Kind, query: &[(&str, &str)]) -> Result<Asked, String> {
        let query = query.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        read(kind, query).map_err(|problem| {
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
            problem.detail().to_owned()
        })
    }

    #[test]
    fn a_query_that_is_not_understood_is_told_what_would_be() {
        let days = [("from", "2026-11-16"), ("to", "2026-11-17")];
        let with = |kind, more: &[(&str, &str)]| asked(kind, &[&days[..], more].concat());
        let whole = with(Kind::Waits, &[("by", "team"), ("practice", "Y00001"), ("format", "csv")]).unwrap();
        assert_eq!((whole.format, whole.by.as_deref()), (Format::Csv, Some("team")));
        assert_eq!(with(Kind::Calls, &[]).unwrap().format, Format::Csv);
        assert_eq!(with(Kind::Cbt, &[]).unwrap().format, Format::Json);
        for (kind, query, said) in [
            (Kind::Cbt, &[("by", "line")][..], "`by` is nothing that this report is asked; there are `from`"),
            (Kind::Waits, &[("trace", "CBT004")], "`trace` is nothing that this report is asked"),
            (Kind::Waits, &[("format", "svg")], "reports/waits has no format `svg`; it has `json`, `csv`"),
            (Kind::Waits, &[("from", "2026-11-18")], "`from` is there twice"),
            (Kind::Calls, &[("trace", "A1"), ("format", "parquet")], "a trace has no format `parquet`"),
        ] {
            let found = with(kind, query).unwrap_err();
            assert!(found.starts_with(said), "{found}");
        }
        let missing = asked(Kind::Day, &[("from", "2026-11-16")]).unwrap_err();
        assert!(missing.starts_with("`to` is missing: the last day"), "{missing}");
    }

    #[test]
    fn what_is_too_large_is_given_up_and_not_kept() {
        let mut answer = Answer::default();
        answer.write_all(&vec![0; LARGEST]).unwrap();
        assert!(!answer.is_full);
        assert!(answer.write_all(&[0]).is_err() && answer.is_full);
        assert_eq!(answer.bytes.len(), LARGEST);
    }

    /// Makes a report of one letter whenever the test lets it.
    struct Slow {
        begun: tokio::sync::mpsc::UnboundedSender<()>,
        may: Arc<Semaphore>,
        at_work: Arc<Semaphore>,
    }

    impl Reports for Slow {
        fn offer(&self) -> Offer {
            Offer { zone: "UTC".into(), today: "2026-11-16".into(), practices: Vec::new() }
        }

        fn write(&self, _: &Asked, limit: &Limit, out: &mut Answer) -> Result<(), NoReport> {
            let _alone = self.at_work.try_acquire().expect("one report at a time");
            self.begun.send(()).unwrap();
            loop {
                if let Ok(permit) = self.may.try_acquire() {
                    permit.forget();
                    return out.write_all(b"x").map_err(|error| NoReport::Failed(error.to_string()));
                }
                if limit.unwanted.load(std::sync::atomic::Ordering::Relaxed) {
                    return Err(NoReport::Stopped);
                }
                thread::yield_now();
            }
        }
    }

    fn bureau() -> (Arc<Bureau>, tokio::sync::mpsc::UnboundedReceiver<()>, Arc<Semaphore>) {
        let (begun, begins) = tokio::sync::mpsc::unbounded_channel();
        let [may, at_work] = [0, 1].map(|permits| Arc::new(Semaphore::new(permits)));
        let bureau = Arc::new(Bureau::default());
        bureau.open(Arc::new(Slow { begun, may: Arc::clone(&may), at_work }));
        (bureau, begins, may)
    }

    fn any() -> Asked {
        asked(Kind::Waits, &[("from", "2026-11-16"), ("to", "2026-11-16")]).unwrap()
    }

    #[tokio::test]
    async fn one_report_at_a_time_is_made_and_who_comes_when_all_places_are_taken_is_sent_away() {
        let (bureau, mut begins, may) = bureau();
        let asking: Vec<_> = (0..MOST)
            .map(|_| {
                let bureau = Arc::clone(&bureau);
                tokio::spawn(async move { bureau.make(any()).await.map(|answer| answer.status()) })
            })
            .collect();
        begins.recv().await.unwrap();
        while bureau.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = bureau.make(any()).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "5");
        may.add_permits(MOST + 1);
        for answer in asking {
            assert_eq!(answer.await.unwrap().unwrap(), StatusCode::OK);
        }
        assert_eq!(bureau.make(any()).await.unwrap().status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_given_up() {
        let (bureau, mut begins, may) = bureau();
        let asking = Arc::clone(&bureau);
        let asking = tokio::spawn(async move { asking.make(any()).await.is_ok() });
        begins.recv().await.unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        while bureau.turn.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        may.add_permits(1);
        let answer = bureau.make(any()).await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_LENGTH], "1");
    }
}

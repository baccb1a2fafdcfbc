//! How reports count: what is read, and what is said of bad settings.

use std::time::Duration;

use hearken::config::{CallbacksCountAs, CountsAs, PracticePlaces};

use super::treat_faults::said;
use super::{GOOD, Site};

#[test]
fn each_fault_is_shown_at_its_place_with_what_was_meant() {
    for (text, expected) in [
        ("[report]\n", &[][..]),
        (
            "[report]\ncallbacks-count-as = \"answer\"\n",
            &[
                "2:22 error: `callbacks-count-as` cannot be \"answer\", only \"requested\" or \"answered\" -> answered",
            ],
        ),
        ("[report]\nredials-within = \"0s\"\n", &["2:18 error: `redials-within` must be from 1s to 24h"]),
        (
            "[report]\ncbt-header = [\"Date\", \"Value\"]\n",
            &["2:14 error: `cbt-header` names 2 columns, and there are 11"],
        ),
        (
            "[report]\ncbt-header = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"\", \"\", \"h\", \"a\"]\n",
            &["2:63 error: two columns are named \"a\""],
        ),
        ("[practice.oak]\nfifth = 6\n", &["2:9 error: `fifth` must be from 1 to 5"]),
        ("[practice.oak]\npcn = \"U\\u0007\"\n", &["2:7 error: \"U\u{fffd}\" cannot be a code"]),
        (
            "[disposition.21]\nwords = \"Advice\"\ncounts-as = \"advise\"\n",
            &["3:13 error: `counts-as` cannot be \"advise\", only \"advice\" or \"referral\" -> advice"],
        ),
    ] {
        let found = said(text);
        let found: Vec<_> = found.iter().filter(|found| !found.contains("has no trunk")).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn what_is_said_for_reports_is_kept_beside_the_plan() {
    let places = "fifth = 2\nregion = \"Y56\"\nicb = \"QMJ\"\nsub-icb = \"93C\"\npcn = \"U12345\"\n";
    let text = format!(
        "{GOOD}[practice.oak]\n{places}[disposition.21]\nwords = \"Advice\"\ncounts-as = \"advice\"\n\
         [disposition.22]\nwords = \"Ambulance\"\n[report]\ncallbacks-count-as = \"answered\"\nabandoned-after = \"0s\"\n"
    );
    let report = Site::new().verdict(&text).unwrap().deployment.report;
    assert_eq!(report.callbacks_count_as, CallbacksCountAs::Answered);
    assert_eq!((report.abandoned_after, report.redials_within), (Duration::ZERO, Duration::from_secs(1_200)));
    assert_eq!(
        (report.cbt_header, report.dispositions),
        (None, [("21".to_owned(), CountsAs::Advice)].into())
    );
    let oak = PracticePlaces {
        fifth: Some(2),
        region: "Y56".into(),
        icb: "QMJ".into(),
        sub_icb: "93C".into(),
        pcn: "U12345".into(),
    };
    assert_eq!(report.practices.last(), Some(&oak));
    assert_eq!(report.practices.first(), Some(&PracticePlaces::default()));
}

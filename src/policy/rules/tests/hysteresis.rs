//! The machine against a slow reading of the contract that looks at a list of all instants.

use std::collections::BTreeMap;

use super::*;

/// How long a run is, in seconds.
const LENGTH: u64 = 480;

/// What lines look like from which second on.
type Course = BTreeMap<u64, Vec<(LineId, LineFacts)>>;

prop_compose! {
    fn course()(events in prop::collection::vec((1u64..LENGTH, any::<bool>(), any::<bool>()), 0..40))(
        facts in events.into_iter().map(|(second, elm, both)| {
            let change = (facts(4, second), facts(2, second)).prop_map(move |(at_elm, at_hub)| {
                let (elm, hub) = ((ELM, at_elm), (HUB, at_hub));
                if both { vec![elm, hub] } else if elm == (ELM, at_elm) { vec![elm] } else { vec![hub] }
            });
            let _ = elm;
            (Just(second), change)
        }).collect::<Vec<_>>(),
    ) -> Course {
        facts.into_iter().collect()
    }
}

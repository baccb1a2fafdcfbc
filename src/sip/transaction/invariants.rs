//! What must hold between any two calls.

use super::Transactions;
use super::outgoing;
use super::timers::{Timer, TxId};

impl Transactions {
    /// Panics when a deadline, an index entry or a transaction is out of step with the others.
    pub fn check_invariants(&self) {
        let deadlines_of = |tx, timers: &[Timer]| {
            timers.iter().filter(|timer| self.effects.deadlines.at((tx, **timer)).is_some()).count()
        };
        let mut deadlines = 0;

        for (&tx, served) in &self.servers {
            let set = deadlines_of(TxId::Server(tx), &Timer::OF_SERVERS);
            deadlines += set;
            assert_eq!(set == 0, served.is_open(), "{tx:?} has {set} deadlines: {:?}", served.machine);
            assert_eq!(
                self.by_branch.find(served.branch_key.bytes()),
                Some(tx),
                "{tx:?} cannot be found by its branch"
            );
        }
        assert_eq!(self.by_branch.len(), self.servers.len());
        for (key, tx) in self.by_request.iter() {
            let owner = self.servers.get(tx).and_then(|served| served.request_key.as_ref());
            assert_eq!(owner, Some(key), "a key leads to {tx:?}, which does not have it");
        }

        let mut on_connections = 0;
        for (&tx, sent) in &self.clients {
            let set = deadlines_of(TxId::Client(tx), &Timer::OF_CLIENTS);
            deadlines += set;
            let waits_for_core = match &sent.machine {
                outgoing::Machine::Invite(machine) => machine.waits_for_core(),
                outgoing::Machine::Other(_) => false,
            };
            assert_eq!(set == 0, waits_for_core, "{tx:?} has {set} deadlines: {:?}", sent.machine);
            assert_eq!(self.by_token.get(&sent.token), Some(&tx), "{tx:?} cannot be found by its branch");
            let on_connection = self.by_connection.contains(&(sent.flow, tx));
            assert_eq!(on_connection, sent.flow.transport.is_reliable());
            on_connections += usize::from(on_connection);
        }
        assert_eq!(self.by_token.len(), self.clients.len());
        assert_eq!(self.by_connection.len(), on_connections);
        assert_eq!(self.effects.deadlines.len(), deadlines, "a deadline outlives its transaction");
    }
}

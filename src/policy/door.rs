//! The door: from a call's source address and dialled number to its trunk, line and band.
//!
//! It reads the address that the packet came from and the number dialled; no header reaches it.

use std::net::IpAddr;

use super::{Admission, Band, Ingress, Trunk, Turned};
use crate::id::TrunkId;

impl Ingress {
    /// Whether any trunk's networks hold this source.
    pub fn knows(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        self.trunks.iter().any(|trunk| trunk.prefix_holding(source).is_some())
    }

    /// The addresses of the emergency trunks; networks of more than 256 addresses are left out.
    pub fn emergency_hosts(&self) -> impl Iterator<Item = IpAddr> {
        let nets = self.trunks.iter().filter(|trunk| trunk.emergency).flat_map(|trunk| &trunk.from);
        nets.filter(|net| net.max_prefix_len() - net.prefix_len() <= 8).flat_map(|net| net.hosts())
    }

    /// Decides whether a call may come in, and as what; `dialled` is normalised already.
    ///
    /// Of the trunks whose networks hold `source`, those with the longest prefix are asked: first the one
    /// that lists the number, then one that takes any number; the earlier in the plan wins. The band
    /// follows from the trunk alone. IPv4-mapped IPv6 sources count as IPv4.
    pub fn admit(&self, source: IpAddr, dialled: &str) -> Result<Admission, Turned> {
        let source = source.to_canonical();
        let mut longest = None;
        let mut nearest: Vec<(TrunkId, &Trunk)> = Vec::new();
        for (id, trunk) in (0u32..).map(TrunkId).zip(&self.trunks) {
            let Some(prefix) = trunk.prefix_holding(source) else { continue };
            if longest < Some(prefix) {
                longest = Some(prefix);
                nearest.clear();
            }
            if longest == Some(prefix) {
                nearest.push((id, trunk));
            }
        }
        if nearest.is_empty() {
            return Err(Turned::UnknownSource);
        }
        let listing = nearest.iter().find(|(_, trunk)| trunk.ddis.iter().any(|ddi| ddi == dialled));
        let taking_any = || nearest.iter().find(|(_, trunk)| trunk.ddis.is_empty());
        let &(id, trunk) = listing.or_else(taking_any).ok_or(Turned::UnknownNumber)?;
        Ok(Admission {
            trunk: id,
            practice: trunk.practice,
            line: trunk.line,
            band: if trunk.emergency { Band::EMERGENCY } else { Band::ROUTINE },
        })
    }
}

impl Trunk {
    /// Length of the longest prefix in bits among this trunk's networks that hold `source`.
    fn prefix_holding(&self, source: IpAddr) -> Option<u8> {
        self.from.iter().filter(|net| net.contains(&source)).map(|net| net.prefix_len()).max()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::id::{LineId, PracticeId};

    fn trunk(from: &[&str], emergency: bool, line: u32, ddis: &[&str]) -> Trunk {
        Trunk {
            name: format!("trunk {line}"),
            from: from.iter().map(|net| net.parse().unwrap()).collect(),
            emergency,
            practice: (!emergency).then_some(PracticeId(line)),
            line: LineId(line),
            ddis: ddis.iter().map(|ddi| ddi.to_string()).collect(),
        }
    }

    fn ingress(trunks: Vec<Trunk>) -> Ingress {
        Ingress { trunks, practices: Vec::new(), country_code: "44".into() }
    }

    fn admitted(ingress: &Ingress, source: &str, dialled: &str) -> Result<u32, Turned> {
        ingress.admit(source.parse().unwrap(), dialled).map(|admission| admission.trunk.0)
    }

    #[test]
    fn a_source_on_no_trunk_is_turned_away() {
        let ingress = ingress(vec![trunk(&["192.0.2.0/24"], false, 0, &[])]);
        assert_eq!(admitted(&ingress, "198.51.100.1", "+442079460101"), Err(Turned::UnknownSource));
        assert_eq!(admitted(&ingress, "2001:db8::1", "+442079460101"), Err(Turned::UnknownSource));
    }

    #[test]
    fn a_trunk_without_networks_admits_nobody() {
        let ingress = ingress(vec![trunk(&[], true, 0, &[])]);
        assert_eq!(admitted(&ingress, "192.0.2.1", "999"), Err(Turned::UnknownSource));
    }

    #[test]
    fn the_trunk_that_lists_the_number_comes_before_one_that_takes_any() {
        let net = &["192.0.2.0/24"];
        let ingress = ingress(vec![
            trunk(net, false, 0, &[]),
            trunk(net, false, 1, &["+442079460101"]),
            trunk(net, false, 2, &["+442079460102", "+442079460103"]),
        ]);
        assert_eq!(admitted(&ingress, "192.0.2.7", "+442079460101"), Ok(1));
        assert_eq!(admitted(&ingress, "192.0.2.7", "+442079460103"), Ok(2));
        assert_eq!(admitted(&ingress, "192.0.2.7", "+442079460199"), Ok(0));
    }

    #[test]
    fn a_number_on_no_trunk_of_the_address_is_turned_away() {
        let ingress = ingress(vec![
            trunk(&["192.0.2.0/24"], false, 0, &["+442079460101"]),
            trunk(&["203.0.113.0/24"], false, 1, &["+442079460102"]),
        ]);
        assert_eq!(admitted(&ingress, "192.0.2.7", "+442079460102"), Err(Turned::UnknownNumber));
    }

    #[test]
    fn the_longest_prefix_wins_even_when_a_wider_trunk_lists_the_number() {
        let ingress = ingress(vec![
            trunk(&["0.0.0.0/0"], false, 0, &["+442079460101"]),
            trunk(&["192.0.2.0/24", "192.0.2.7/32"], false, 1, &[]),
            trunk(&["192.0.2.0/25"], false, 2, &[]),
        ]);
        assert_eq!(admitted(&ingress, "192.0.2.7", "+442079460101"), Ok(1));
        assert_eq!(admitted(&ingress, "192.0.2.8", "+442079460101"), Ok(2));
        assert_eq!(admitted(&ingress, "192.0.2.200", "+442079460101"), Ok(1));
        assert_eq!(admitted(&ingress, "198.51.100.1", "+442079460101"), Ok(0));
    }

    #[test]
    fn an_ipv4_mapped_source_counts_as_ipv4() {
        let ingress = ingress(vec![trunk(&["192.0.2.0/24"], false, 0, &[]), trunk(&["::/0"], true, 1, &[])]);
        assert_eq!(admitted(&ingress, "::ffff:192.0.2.7", "1"), Ok(0));
        assert_eq!(admitted(&ingress, "2001:db8::7", "1"), Ok(1));
    }

    #[test]
    fn a_number_containing_999_on_a_routine_trunk_stays_routine() {
        let ingress = ingress(vec![trunk(&["192.0.2.0/24"], false, 0, &[])]);
        for dialled in ["999", "112", "+442079999999", "+44999", "sos", "urn:service:sos", "0999"] {
            let admission = ingress.admit("192.0.2.7".parse().unwrap(), dialled).unwrap();
            assert_eq!(admission.band, Band::ROUTINE, "{dialled}");
        }
    }

    #[test]
    fn every_call_of_an_emergency_trunk_is_an_emergency() {
        let ingress = ingress(vec![trunk(&["192.0.2.0/24"], true, 4, &[])]);
        for dialled in ["999", "+442079460101", ""] {
            let admission = ingress.admit("192.0.2.7".parse().unwrap(), dialled).unwrap();
            let expected =
                Admission { trunk: TrunkId(0), practice: None, line: LineId(4), band: Band::EMERGENCY };
            assert_eq!(admission, expected);
        }
    }
}

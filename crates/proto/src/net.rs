//! Whose address a request came from, when proxies stand between, and how addresses are grouped.
//!
//! A forwarding header is a list that each proxy adds to on the right, and whatever the client sent stands on the left.
//! So it is read from the right, as far as the hops are ours, and only if the peer itself is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// More hops than this are somebody playing.
const MAX_HOPS: usize = 64;

/// A range of addresses. IPv4 addresses mapped into IPv6 are IPv4 here, in ranges as in addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    net: IpAddr,
    prefix: u8,
}

/// Not an address, or not one with a prefix length that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address range such as 10.0.0.0/8 or fd00::/8")]
pub struct CidrError;

impl Cidr {
    /// Whether the address is in the range.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.net, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => mask4(ip, self.prefix) == net,
            (IpAddr::V6(net), IpAddr::V6(ip)) => mask6(ip, self.prefix) == net,
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    /// A single address is a range of one. Bits beyond the prefix are an error: `10.1.2.3/8` is a slip of the pen that
    /// would trust sixteen million hosts.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (ip, prefix) = match text.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| CidrError)?;
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| CidrError)?
            }
            Some(_) => return Err(CidrError),
        };
        let (net, prefix, bits) = match ip.to_canonical() {
            IpAddr::V4(v4) if ip.is_ipv6() => (IpAddr::V4(v4), prefix.checked_sub(96).ok_or(CidrError)?, 32),
            same => (same, prefix, bits),
        };
        if prefix > bits {
            return Err(CidrError);
        }
        let masked = match net {
            IpAddr::V4(v4) => IpAddr::V4(mask4(v4, prefix)),
            IpAddr::V6(v6) => IpAddr::V6(mask6(v6, prefix)),
        };
        if masked == net { Ok(Self { net, prefix }) } else { Err(CidrError) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.net, self.prefix)
    }
}

fn mask4(ip: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(ip.to_bits() & u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0))
}

fn mask6(ip: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    Ipv6Addr::from_bits(ip.to_bits() & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0))
}

/// The client's address by `X-Forwarded-For: client, proxy1, proxy2`: the rightmost that is not a trusted proxy. `values`
/// are the header's lines in order, as bytes. `Forwarded` (RFC 7239) is not read: a proxy that writes one of the two lets the
/// other through, and this is the one that each of them knows.
///
/// An entry that is no address (`unknown`, an obfuscated name, nonsense) ends the walk at the last proxy that we know: what
/// is left of it was written by nobody we trust.
pub fn client_ip(peer: IpAddr, values: &[&[u8]], trusted: &[Cidr]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|range| range.contains(ip));
    let mut client = peer.to_canonical();
    // RFC 7239 8.1: the header "cannot be relied upon to be correct" unless the peer is a known proxy.
    if !is_trusted(client) {
        return client;
    }
    // RFC 9110 5.3: several lines of a list are one, joined by commas.
    let entries = values.iter().rev().flat_map(|line| line.rsplit(|b| *b == b','));
    for entry in entries.take(MAX_HOPS) {
        let ip = std::str::from_utf8(entry).ok().and_then(|entry| node(entry.trim_matches([' ', '\t'])));
        let Some(ip) = ip else { break };
        client = ip;
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// An address, perhaps with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let port = |text: &str| !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, after) = rest.split_once(']')?;
        let fine = after.is_empty() || after.strip_prefix(':').is_some_and(port);
        return ip.parse::<Ipv6Addr>().ok().filter(|_| fine).map(|ip| IpAddr::V6(ip).to_canonical());
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    let (ip, after) = text.split_once(':')?;
    ip.parse::<Ipv4Addr>().ok().filter(|_| port(after)).map(IpAddr::V4)
}

/// What limits count by: an IPv4 address, or the /64 of an IPv6 one, of which a single host has all.
pub fn bucket(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(mask6(v6, 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn client(peer: &str, values: &[&str]) -> String {
        let trusted: Vec<Cidr> =
            ["10.0.0.0/8", "fd00::/8", "192.0.2.7"].iter().map(|t| t.parse().expect("a range")).collect();
        let values: Vec<&[u8]> = values.iter().map(|v| v.as_bytes()).collect();
        client_ip(ip(peer), &values, &trusted).to_string()
    }

    #[test]
    fn ranges() {
        let ten: Cidr = "10.0.0.0/8".parse().expect("a range");
        assert!(
            ten.contains(ip("10.255.0.1"))
                && ten.contains(ip("::ffff:10.0.0.1"))
                && !ten.contains(ip("11.0.0.1"))
        );
        let all: Cidr = "0.0.0.0/0".parse().expect("a range");
        assert!(all.contains(ip("203.0.113.1")) && !all.contains(ip("2001:db8::1")));
        let everything: Cidr = "::/0".parse().expect("a range");
        assert!(everything.contains(ip("2001:db8::1")) && !everything.contains(ip("203.0.113.1")));
        let mapped: Cidr = "::ffff:10.0.0.0/104".parse().expect("a range");
        assert_eq!(mapped, ten);
        let one: Cidr = "2001:db8::1".parse().expect("a range");
        assert!(one.contains(ip("2001:db8::1")) && !one.contains(ip("2001:db8::2")));
        assert_eq!(one.to_string(), "2001:db8::1/128");
        for bad in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.1.0.0/8",
            "10.0.0.0/+8",
            "::/129",
            "10/8",
            "a/8",
            "10.0.0.0/8/8",
            "010.0.0.0/8",
            "::ffff:10.0.0.0/64",
            "10.0.0.0/999",
        ] {
            assert_eq!(bad.parse::<Cidr>(), Err(CidrError), "{bad}");
        }
    }

    #[test]
    fn x_forwarded_for() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9", "an unknown peer is the client");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6, 198.51.100.1"]),
            "198.51.100.1",
            "the left is the client's own"
        );
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1 ,\t10.0.0.3,10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.9, 10.0.0.2"]), "10.0.0.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["198.51.100.1,"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:4711, fd00::1"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        for odd in [
            "",
            " ",
            "é",
            "1.2.3",
            "0x7f.1",
            "127.1",
            "1.2.3.4:",
            "1.2.3.4:123456",
            "[::1",
            "::1]",
            "[1.2.3.4]",
            "fe80::1%eth0",
            "'1.2.3.4'",
        ] {
            assert_eq!(client("10.0.0.1", &[odd]), "10.0.0.1", "{odd}");
        }
        let many = "10.0.0.2,".repeat(100_000) + "10.0.0.2";
        assert_eq!(client("10.0.0.1", &[&many]), "10.0.0.2");
    }

    #[test]
    fn buckets() {
        assert_eq!(bucket(ip("203.0.113.7")), ip("203.0.113.7"));
        assert_eq!(bucket(ip("::ffff:203.0.113.7")), ip("203.0.113.7"));
        assert_eq!(bucket(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
    }

    proptest! {
        #[test]
        fn ranges_round_trip(v4 in any::<u32>(), v6 in any::<u128>(), p4 in 0u8..=32, p6 in 0u8..=128) {
            for text in [format!("{}/{p4}", mask4(Ipv4Addr::from_bits(v4), p4)), format!("{}/{p6}", mask6(Ipv6Addr::from_bits(v6), p6))] {
                if let Ok(range) = text.parse::<Cidr>() {
                    prop_assert_eq!(range.to_string().parse::<Cidr>(), Ok(range));
                    prop_assert!(range.contains(range.net));
                }
            }
        }

        #[test]
        fn headers_never_panic(values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..4), text in any::<String>()) {
            let trusted: [Cidr; 1] = ["10.0.0.0/8".parse().expect("a range")];
            let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            client_ip(ip("10.0.0.1"), &values, &trusted);
            client_ip(ip("10.0.0.1"), &[text.as_bytes()], &trusted);
            let _ = text.parse::<Cidr>();
        }

        #[test]
        fn the_last_untrusted_wins(left in any::<u32>(), right in any::<u32>()) {
            let right = Ipv4Addr::from_bits(right);
            prop_assume!(right.octets()[0] != 10 && right != Ipv4Addr::new(192, 0, 2, 7));
            let value = format!("{}, {right}, 10.1.2.3", Ipv4Addr::from_bits(left));
            prop_assert_eq!(client("10.0.0.1", &[&value]), right.to_string());
        }
    }
}

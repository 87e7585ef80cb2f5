//! Whose address a request came from: what a client writes into the header itself changes nothing.

use latchstring_proto::net::{Cidr, bucket, client_ip};
use std::net::IpAddr;

/// The first line is the peer, the second the trusted ranges, and each further one a line of the header.
pub fn check(data: &[u8]) {
    let mut lines = data.split(|b| *b == b'\n');
    let mut text = || lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let peer: IpAddr = text().parse().unwrap_or(IpAddr::from([10, 0, 0, 1]));
    let trusted: Vec<Cidr> = text().split(',').filter_map(range).take(8).collect();
    let values: Vec<&[u8]> = lines.take(64).collect();
    walk(peer, &values, &trusted);
}

fn walk(peer: IpAddr, values: &[&[u8]], trusted: &[Cidr]) {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|range| range.contains(ip));
    let client = client_ip(peer, values, trusted);
    assert_eq!(client, client.to_canonical(), "one spelling of an address");
    if !is_trusted(peer) {
        assert_eq!(client, peer.to_canonical(), "a stranger's header was believed");
    }
    // RFC 9110 5.3: several lines are one.
    let joined = values.join(&b","[..]);
    if !values.is_empty() {
        assert_eq!(client_ip(peer, &[&joined], trusted), client);
    }
    if !is_trusted(client) {
        for forged in [&b"203.0.113.66"[..], b"\"", b",,,", b"unknown"] {
            let more: Vec<&[u8]> = std::iter::once(forged).chain(values.iter().copied()).collect();
            assert_eq!(client_ip(peer, &more, trusted), client, "the left side was believed");
        }
    }
    let group = bucket(client);
    assert_eq!(bucket(group), group);
    if client.is_ipv4() {
        assert_eq!(group, client);
    }
}

fn range(text: &str) -> Option<Cidr> {
    let range: Cidr = text.parse().ok()?;
    let shown = range.to_string();
    assert_eq!(shown.parse::<Cidr>(), Ok(range), "{shown}");
    let (ip, prefix) = shown.split_once('/').expect("both parts");
    let (ip, prefix): (IpAddr, u8) = (ip.parse().expect("an address"), prefix.parse().expect("a number"));
    assert!(range.contains(ip));
    assert!(prefix <= if ip.is_ipv4() { 32 } else { 128 });
    Some(range)
}

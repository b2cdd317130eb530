//! Which addresses and names belong to the internet at large, and which to this machine and private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a name means this machine or its own network, whatever it resolves to.
pub(super) fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || [".localhost", ".local", ".localdomain", ".internal", ".home.arpa"]
            .iter()
            .any(|end| host.ends_with(end))
}

/// Whether an address belongs to the internet at large.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (18..20).contains(&b);
    // Routers that turn IPv6 into IPv4 had these; nobody serves pages there.
    let relay = a == 192 && b == 88 && c == 99;
    !(a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || protocols
        || benchmark
        || relay)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in any of its disguises counts as what it is.
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let segments = address.segments();
    let [high, low] = [segments[6], segments[7]];
    let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(embedded),
        [0x2002, high, low, ..] => is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        // Only global unicast; not what is set apart for protocols (Teredo among them) or documentation.
        [first, second, ..] => {
            let protocols = first == 0x2001 && second < 0x200;
            let documentation = (first == 0x2001 && second == 0xdb8) || (first == 0x3fff && second < 0x1000);
            // An interface named after an IPv4 address of the network it is in.
            let inside = segments[5] == 0x5efe && !is_public_v4(embedded);
            (first & 0xe000) == 0x2000 && !protocols && !documentation && !inside
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_at_large_is_public() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2606:4700::5efe:808:808",
        ] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::7f00:1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "3fff::1",
            "64:ff9b:1::808:808",
            "100::1",
            "5f00::1",
            "2606:4700::5efe:a00:1",
            "fe80::5efe:808:808",
            "::ffff:0:7f00:1",
            "192.88.99.1",
            "240.0.0.1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
    }
}

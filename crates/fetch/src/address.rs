//! Which addresses are public: IANA's special-purpose registries as one table, and the addresses of
//! cloud providers that look public and are not.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>. Blocks that these list as globally
//! reachable, such as AS112's, are left out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Who can be behind an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anyone on the internet.
    Public,
    /// This machine or its network. Reached only where the operator has opened it.
    Private,
    /// Nothing that is ever fetched.
    Never,
}

use Reach::{Never, Private, Public};

/// The first block that holds an address decides; what is in none is public.
const V4: [(Ipv4Net, Reach); 17] = [
    (v4([0, 0, 0, 0], 8), Never),          // "this network", RFC 791
    (v4([10, 0, 0, 0], 8), Private),       // private use, RFC 1918
    (v4([100, 64, 0, 0], 10), Never),      // carrier-grade NAT, RFC 6598; Alibaba's metadata
    (v4([127, 0, 0, 0], 8), Private),      // loopback, RFC 1122
    (v4([168, 63, 129, 16], 32), Never),   // Azure's host agent and metadata, though routable
    (v4([169, 254, 0, 0], 16), Never),     // link-local, RFC 3927; cloud metadata
    (v4([172, 16, 0, 0], 12), Private),    // private use, RFC 1918
    (v4([192, 0, 0, 0], 24), Never),       // protocol assignments, RFC 6890; Oracle's metadata
    (v4([192, 0, 2, 0], 24), Never),       // documentation, RFC 5737
    (v4([192, 88, 99, 0], 24), Never),     // 6to4 relays, RFC 7526
    (v4([192, 168, 0, 0], 16), Private),   // private use, RFC 1918
    (v4([198, 18, 0, 0], 15), Never),      // benchmarks, RFC 2544
    (v4([198, 51, 100, 0], 24), Never),    // documentation, RFC 5737
    (v4([203, 0, 113, 0], 24), Never),     // documentation, RFC 5737
    (v4([224, 0, 0, 0], 4), Never),        // multicast, RFC 5771
    (v4([255, 255, 255, 255], 32), Never), // broadcast, RFC 919
    (v4([240, 0, 0, 0], 4), Never),        // reserved, RFC 1112
];

/// The same for IPv6, where only `2000::/3` is handed out as public at all (RFC 4291, section
/// 2.4). An address that holds an IPv4 address is refused whatever that is: no name needs one.
const V6: [(Ipv6Net, Reach); 16] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Private), // loopback, RFC 4291
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), Never), // IPv4-mapped, RFC 4291
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), Never), // NAT64, RFC 6052
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Never), // local NAT64, RFC 8215
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), Never), // discard, RFC 6666
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Never), // protocols, Teredo, RFC 2928 and 4380
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Never), // documentation, RFC 3849
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), Never), // 6to4, RFC 3056
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Never), // documentation, RFC 9637
    (v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3), Public), // global unicast, RFC 4291
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), Never), // AWS's metadata
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), Never), // Google's metadata
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Private), // unique local, RFC 4193
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Never), // link-local, RFC 4291
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Never), // multicast, RFC 4291
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 0), Never),     // everything else
];

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), prefix)
}

/// Who can be behind this address.
pub(crate) fn reach(address: IpAddr) -> Reach {
    let found = match address {
        IpAddr::V4(address) => V4.iter().find(|(block, _)| block.contains(&address)).map(|x| x.1),
        IpAddr::V6(address) => V6.iter().find(|(block, _)| block.contains(&address)).map(|x| x.1),
    };
    found.unwrap_or(Public)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(cases: &[(&str, Reach)]) {
        for (text, expected) in cases {
            assert_eq!(reach(text.parse().unwrap()), *expected, "{text}");
        }
    }

    #[test]
    fn the_ends_of_every_ipv4_block_and_their_neighbours_are_judged() {
        judge(&[
            ("0.0.0.0", Never),
            ("0.255.255.255", Never),
            ("1.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", Private),
            ("10.255.255.255", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", Never),
            ("100.100.100.200", Never),
            ("100.127.255.255", Never),
            ("100.128.0.0", Public),
            ("126.255.255.255", Public),
            ("127.0.0.1", Private),
            ("127.255.255.255", Private),
            ("128.0.0.0", Public),
            ("168.63.129.15", Public),
            ("168.63.129.16", Never),
            ("169.253.255.255", Public),
            ("169.254.0.0", Never),
            ("169.254.169.254", Never),
            ("169.254.170.2", Never),
            ("169.255.0.0", Public),
            ("172.15.255.255", Public),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.0.0.192", Never),
            ("192.0.1.0", Public),
            ("192.0.2.1", Never),
            ("192.0.3.0", Public),
            ("192.88.99.1", Never),
            ("192.167.255.255", Public),
            ("192.168.0.0", Private),
            ("192.168.255.255", Private),
            ("192.169.0.0", Public),
            ("198.17.255.255", Public),
            ("198.18.0.0", Never),
            ("198.19.255.255", Never),
            ("198.20.0.0", Public),
            ("198.51.100.1", Never),
            ("203.0.113.1", Never),
            ("223.255.255.255", Public),
            ("224.0.0.1", Never),
            ("239.255.255.255", Never),
            ("240.0.0.1", Never),
            ("255.255.255.255", Never),
        ]);
    }

    #[test]
    fn the_ends_of_every_ipv6_block_and_their_neighbours_are_judged() {
        judge(&[
            ("::", Never),
            ("::1", Private),
            ("::2", Never),
            ("::7f00:1", Never),
            ("::ffff:127.0.0.1", Never),
            ("::ffff:8.8.8.8", Never),
            ("64:ff9b::8.8.8.8", Never),
            ("64:ff9b:1::1", Never),
            ("100::1", Never),
            ("1fff:ffff::", Never),
            ("2001::1", Never),
            ("2001:1ff:ffff::", Never),
            ("2001:200::", Public),
            ("2001:db8::1", Never),
            ("2001:4860:4860::8888", Public),
            ("2002:7f00:1::", Never),
            ("2606:4700::1111", Public),
            ("3fff:fff:ffff::", Never),
            ("3fff:1000::", Public),
            ("4000::", Never),
            ("5f00::1", Never),
            ("fbff:ffff::", Never),
            ("fc00::1", Private),
            ("fd00:ec2::254", Never),
            ("fd00:ec2::253", Private),
            ("fd20:ce::254", Never),
            ("fe80::1", Never),
            ("fec0::1", Never),
            ("ff02::1", Never),
        ]);
    }
}

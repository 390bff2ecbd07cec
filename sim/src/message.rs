//! Messages that are plain data: their kinds and digests written out once.

use crate::fact::{NodeId, Operation, Request, RequestId};
use crate::hash::fold;
use crate::time::{Span, Time};

/// What can be folded into the digest of a message.
pub trait Digest {
    /// Differs where the value does, but for accidents of one in 2^64.
    fn digest(&self) -> u64;
}

macro_rules! digests {
    ($($type:ty: $value:ident => $digest:expr;)+) => {
        $(impl Digest for $type {
            fn digest(&self) -> u64 {
                let $value = *self;
                $digest
            }
        })+
    };
}

digests! {
    bool: value => u64::from(value);
    u8: value => u64::from(value);
    u16: value => u64::from(value);
    u32: value => u64::from(value);
    u64: value => value;
    Time: value => value.0;
    Span: value => value.0;
    RequestId: value => u64::from(value.0);
    Operation: value => fold(fold(value.key, value.value), u64::from(value.kind));
    Request: value => fold(u64::from(value.id.0), value.operation.digest());
    // Hashes hold for every roster: a node's number is no part of them.
    NodeId: _value => 0;
}

/// Declares what nodes send to each other: an enum of plain data that is a [`Message`](crate::Message).
///
/// Each variant has the name of its kind, for faults and counts, and its size on the wire in bytes.
///
/// ```
/// murphy_sim::messages! {
///     /// What a client and a server say.
///     pub enum Chat {
///         Ask { key: u64 } = ("ask", 64),
///         Answer { key: u64, found: bool } = ("answer", 128),
///     }
/// }
/// # use murphy_sim::Message as _;
/// assert_eq!(Chat::KINDS, ["ask", "answer"]);
/// assert_eq!((Chat::Ask { key: 7 }.kind(), Chat::Answer { key: 7, found: true }.bytes()), (0, 128));
/// assert_ne!(Chat::Ask { key: 7 }.digest(), Chat::Ask { key: 8 }.digest());
/// ```
#[macro_export]
macro_rules! messages {
    (
        $(#[$attribute:meta])*
        $visible:vis enum $name:ident {
            $($(#[$about:meta])* $variant:ident { $($field:ident: $type:ty),* $(,)? } = ($kind:literal, $bytes:expr)),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names say it; private ones need no docs")]
        $visible enum $name {
            $($(#[$about])* $variant { $($field: $type),* }),+
        }

        impl $crate::Message for $name {
            const KINDS: &'static [&'static str] = &[$($kind),+];

            fn kind(&self) -> usize {
                enum Kind { $($variant),+ }
                match self {
                    $($name::$variant { .. } => Kind::$variant as usize),+
                }
            }

            fn bytes(&self) -> u32 {
                match self {
                    $($name::$variant { .. } => $bytes),+
                }
            }

            fn digest(&self) -> u64 {
                match self {
                    $($name::$variant { $($field),* } => {
                        [$($crate::Digest::digest($field)),*].into_iter().fold($crate::Message::kind(self) as u64, $crate::fold)
                    })+
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::process::Message as _;
    use crate::time::Time;

    crate::messages! {
        enum Chat {
            Ask { key: u64, at: Time } = ("ask", 64),
            Answer { key: u64, found: bool } = ("answer", 128),
            Bye {} = ("bye", 8),
        }
    }

    #[test]
    fn every_field_and_the_kind_are_part_of_the_digest() {
        let ask = |key, at| Chat::Ask { key, at: Time(at) }.digest();
        let answer = |key, found| Chat::Answer { key, found }.digest();
        let mut digests = vec![
            ask(1, 2),
            ask(2, 1),
            ask(1, 3),
            ask(1, 0),
            answer(1, false),
            answer(1, true),
            Chat::Bye {}.digest(),
        ];
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 7);
        assert_eq!(Chat::KINDS, ["ask", "answer", "bye"]);
        let bye = Chat::Bye {};
        assert_eq!((bye.kind(), bye.bytes()), (2, 8));
    }
}

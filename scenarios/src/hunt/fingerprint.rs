//! What makes two violations the same: the oracle, and what it speaks of.

use std::fmt;

use murphy_sim::{fold, name_hash};

/// Words of a message that say what it is about; what follows are particulars.
const WORDS: usize = 8;

/// Identity of a finding: the property, and the violation's message without names and numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// The property, such as `pbft.agreement`.
    pub property: String,
    /// The message's first words, with `@` for nodes and `#` for numbers.
    pub subject: String,
}

impl Fingerprint {
    /// The fingerprint of a violation in a system with these nodes.
    pub fn new(property: &str, message: &str, nodes: &[String]) -> Fingerprint {
        let mut words: Vec<&str> = Vec::new();
        for word in message.split_whitespace() {
            let bare = word.trim_matches(|c: char| ",:;.".contains(c));
            let word = if nodes.iter().any(|node| node == bare) {
                "@"
            } else if bare.starts_with(|c: char| c.is_ascii_digit()) {
                "#"
            } else {
                bare
            };
            // One replica that contradicts itself shows the same as two that contradict each other.
            match words.as_slice() {
                [.., "@"] if word == "itself" => {}
                [.., "@", "and"] if word == "@" => _ = words.pop(),
                _ => words.push(word),
            }
        }
        words.truncate(WORDS);
        Fingerprint { property: property.to_owned(), subject: words.join(" ") }
    }

    /// Four hexadecimal digits, for the names of files.
    pub fn short(&self) -> String {
        format!("{:04x}", fold(name_hash(&self.property), name_hash(&self.subject)) & 0xffff)
    }

    /// Name of the repro file: `pbft.agreement-3f9c.repro.toml`.
    pub fn file_name(&self) -> String {
        let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let property: String = self.property.chars().map(keep).collect();
        format!("{}-{}.repro.toml", property.trim_matches('-'), self.short())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_do_not_matter_and_words_do() {
        let nodes: Vec<String> = (0..4).map(|i| format!("r{i}")).collect();
        let of = |message: &str| Fingerprint::new("p.agreement", message, &nodes);
        let first = of("r1 and r3 decided different values at slot 18: 0x1f in view 0, 0x2c in view 1");
        assert_eq!(first.subject, "@ decided different values at slot # #");
        assert_eq!(first, of("r0 itself decided different values at slot 7: 0x9 in view 4, 0x8 in view 5"));
        assert_ne!(first, of("r0 and r2 executed different numbers of commands at slot 18"));
        assert_ne!(first, Fingerprint { property: "p.validity".to_owned(), ..first.clone() });
        let linear = Fingerprint { property: "linearizable(kv)".to_owned(), ..first };
        assert!(linear.file_name().starts_with("linearizable-kv-"), "{}", linear.file_name());
        assert!(linear.file_name().ends_with(".repro.toml"));
    }
}

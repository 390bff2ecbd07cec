//! `MANIFEST.b3`: hashes of every deterministic file, the same on every machine.

use crate::number::Put;

/// The text of a manifest: one `HASH  NAME` line a file, sorted by name, as `b3sum --check` reads it.
///
/// `files` holds names and bytes in any order; names use `/`.
pub fn manifest<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut lines: Vec<(&str, String)> =
        files.into_iter().map(|(name, bytes)| (name, blake3::hash(bytes).to_hex().to_string())).collect();
    lines.sort_unstable();
    let mut text = String::new();
    for (name, hash) in lines {
        text.put(format_args!("{hash}  {name}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_and_hash_the_bytes() {
        let text = manifest([("b.csv", &b"abc"[..]), ("a.csv", &b""[..])]);
        // Hashes from the BLAKE3 paper's reference implementation.
        assert_eq!(
            text,
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262  a.csv\n\
             6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85  b.csv\n"
        );
    }
}

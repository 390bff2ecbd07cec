//! Colours of the terminal, or none.

use crate::expectation::Judgement;

/// Wraps text in ANSI colours when they are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn judgement(self, judgement: Judgement, text: &str) -> String {
        let code = match judgement {
            Judgement::Pass => "1;32",
            Judgement::Inconclusive => "1;33",
            Judgement::Fail => "1;31",
        };
        self.wrap(code, text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

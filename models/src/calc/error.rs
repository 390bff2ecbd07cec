//! What can be wrong with what was typed.

use std::fmt;

use super::form::Form;

/// One argument that is wrong, with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// Not `key=value`.
    NoAssignment {
        /// What was typed.
        text: String,
    },
    /// A key that the calculator does not know.
    Unknown {
        /// The key.
        key: String,
        /// The key that was perhaps meant.
        close: Option<&'static str>,
    },
    /// A key given twice.
    Twice {
        /// The key.
        key: &'static str,
    },
    /// A required key that is not there.
    Missing {
        /// The key.
        key: &'static str,
        /// What it stands for.
        about: &'static str,
    },
    /// A value that is not what the key needs.
    Value {
        /// The key.
        key: &'static str,
        /// What was typed.
        text: String,
        /// What is wrong with it and what to write.
        why: String,
    },
    /// Values that are right alone but not together.
    Together {
        /// What must hold.
        why: String,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::NoAssignment { text } => write!(f, "`{text}` is no argument: write key=value"),
            Mistake::Unknown { key, close: Some(close) } => {
                write!(f, "there is no `{key}`: did you mean `{close}`?")
            }
            Mistake::Unknown { key, close: None } => write!(f, "there is no `{key}`"),
            Mistake::Twice { key } => write!(f, "`{key}` is given twice"),
            Mistake::Missing { key, about } => write!(f, "`{key}` is missing: {about}"),
            Mistake::Value { key, text, why } => write!(f, "{key}={text}: {why}"),
            Mistake::Together { why } => f.write_str(why),
        }
    }
}

/// Why there is no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CalcError {
    /// No calculator has this name.
    UnknownForm {
        /// What was typed.
        name: String,
        /// Calculators that were perhaps meant, the nearest first.
        close: Vec<&'static str>,
    },
    /// Arguments are wrong: all of them.
    Arguments {
        /// The calculator.
        form: &'static Form,
        /// Every mistake, in the order typed, then what is missing.
        mistakes: Vec<Mistake>,
    },
}

impl fmt::Display for CalcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CalcError::UnknownForm { name, close } => {
                write!(f, "there is no calculator `{name}`")?;
                match close.split_first() {
                    None => write!(f, "\n  list them: murphy calc list"),
                    Some((nearest, _)) => {
                        write!(f, "; did you mean {}?\n  try: murphy calc {nearest}", close.join(" or "))?;
                        let example = super::find(nearest).map_or("", |form| form.example);
                        write!(f, " {example}\n  list them: murphy calc list")
                    }
                }
            }
            CalcError::Arguments { form, mistakes } => {
                write!(f, "calc {}: ", form.name)?;
                match mistakes.as_slice() {
                    [only] => write!(f, "{only}")?,
                    all => {
                        write!(f, "{} arguments are wrong", all.len())?;
                        all.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))?;
                    }
                }
                write!(f, "\n  takes:")?;
                for arg in form.args {
                    write!(f, "\n    {:14} {}", arg.name, arg.describe())?;
                }
                write!(f, "\n  try: murphy calc {} {}", form.name, form.example)
            }
        }
    }
}

impl std::error::Error for CalcError {}

//! What a key holds.

use murphy_sim::Operation;

use super::{ADD, REMOVE};
use crate::replication::crdt::{
    Crdt, LwwRegister, MvRegister, OrMap, OrSet, PnCounter, Replica, TwoPhaseSet,
};
use crate::replication::{GET, PUT};

/// Elements of a set, and fields of a map.
pub(super) const ELEMENTS: u64 = 4;

/// A data type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// The last write wins.
    Lww,
    /// Values of concurrent writes are kept.
    MultiValue,
    /// Grows.
    GCounter,
    /// Grows and falls.
    PnCounter,
    /// A number in a register in which the last write wins: read, add one, write.
    LwwCounter,
    /// An add wins over a concurrent remove.
    OrSet,
    /// A remove is for ever.
    TwoPhaseSet,
    /// Registers by field; a put wins over a concurrent remove.
    Map,
}

impl Data {
    pub(super) const WORDS: [&'static str; 8] =
        ["lww", "multi-value", "g-counter", "pn-counter", "lww-counter", "or-set", "2p-set", "map"];

    pub(super) fn from_word(word: &str) -> Data {
        match word {
            "multi-value" => Data::MultiValue,
            "g-counter" => Data::GCounter,
            "pn-counter" => Data::PnCounter,
            "lww-counter" => Data::LwwCounter,
            "or-set" => Data::OrSet,
            "2p-set" => Data::TwoPhaseSet,
            "map" => Data::Map,
            _ => Data::Lww,
        }
    }

    /// Whether it understands an operation.
    pub(super) fn takes(self, kind: u16) -> bool {
        match self {
            Data::Lww | Data::MultiValue => matches!(kind, PUT | GET),
            Data::GCounter => matches!(kind, ADD | GET),
            Data::PnCounter | Data::LwwCounter | Data::OrSet | Data::TwoPhaseSet => {
                matches!(kind, ADD | REMOVE | GET)
            }
            Data::Map => matches!(kind, PUT | GET | REMOVE),
        }
    }

    pub(super) fn counts(self) -> bool {
        matches!(self, Data::GCounter | Data::PnCounter | Data::LwwCounter)
    }

    fn empty(self) -> Cell {
        match self {
            Data::Lww | Data::LwwCounter => Cell::Register(LwwRegister::default()),
            Data::MultiValue => Cell::Multi(MvRegister::default()),
            Data::GCounter | Data::PnCounter => Cell::Counter(PnCounter::default()),
            Data::OrSet => Cell::Set(OrSet::default()),
            Data::TwoPhaseSet => Cell::TwoPhase(TwoPhaseSet::default()),
            Data::Map => Cell::Map(OrMap::default()),
        }
    }
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Cell {
    Register(LwwRegister),
    Multi(MvRegister),
    Counter(PnCounter),
    Set(OrSet),
    TwoPhase(TwoPhaseSet),
    Map(OrMap),
}

impl Cell {
    /// Nothing.
    pub fn new(data: Data) -> Cell {
        data.empty()
    }

    /// The place of a request in the store: maps have several fields a cell.
    pub(super) fn place(data: Data, operation: &Operation) -> u64 {
        if data == Data::Map { operation.key / ELEMENTS } else { operation.key }
    }

    /// Element of a set that an operation is about: nothing else is drawn for it than its number.
    pub(super) fn element(operation: &Operation) -> u64 {
        operation.value % ELEMENTS
    }

    /// One operation of a replica.
    pub(super) fn change(&mut self, data: Data, replica: Replica, clock: u64, operation: &Operation) {
        let register = LwwRegister { stamp: (clock, replica), value: operation.value };
        let (element, field) = (Cell::element(operation), operation.key % ELEMENTS);
        match (self, operation.kind) {
            (Cell::Register(own), ADD | REMOVE) if data == Data::LwwCounter => {
                let step = if operation.kind == ADD { 1 } else { u64::MAX };
                *own = LwwRegister { value: own.value.wrapping_add(step), ..register };
            }
            (Cell::Register(own), _) => own.merge(&register),
            (Cell::Multi(own), _) => own.set(replica, operation.value),
            (Cell::Counter(own), REMOVE) => own.down.add(replica, 1),
            (Cell::Counter(own), _) => own.up.add(replica, 1),
            (Cell::Set(own), REMOVE) => own.remove(element),
            (Cell::Set(own), _) => own.add(replica, element),
            (Cell::TwoPhase(own), REMOVE) => own.remove(element),
            (Cell::TwoPhase(own), _) => own.add(element),
            (Cell::Map(own), REMOVE) => own.remove(field),
            (Cell::Map(own), _) => own.put(replica, field, register),
        }
    }

    /// What a read of a register returns; zero for other types.
    pub(super) fn read(&self, operation: &Operation) -> u64 {
        match self {
            Cell::Register(own) => own.value,
            // The reader chooses the one that was asked for last.
            Cell::Multi(own) => own.values().max().unwrap_or(0),
            Cell::Map(own) => own.get(operation.key % ELEMENTS).map_or(0, |register| register.value),
            Cell::Counter(_) | Cell::Set(_) | Cell::TwoPhase(_) => 0,
        }
    }

    /// The last stamp of a register.
    pub(super) fn stamp(&self) -> u64 {
        match self {
            Cell::Register(own) => own.stamp.0,
            _ => 0,
        }
    }

    /// Takes in another copy; `by_sum` plants a bug in counters.
    pub(super) fn merge(&mut self, other: &Cell, by_sum: bool) {
        match (self, other) {
            (Cell::Counter(own), Cell::Counter(other)) if by_sum => {
                own.up.merge_by_sum(&other.up);
                own.down.merge_by_sum(&other.down);
            }
            (Cell::Counter(own), Cell::Counter(other)) => own.merge(other),
            (Cell::Register(own), Cell::Register(other)) => own.merge(other),
            (Cell::Multi(own), Cell::Multi(other)) => own.merge(other),
            (Cell::Set(own), Cell::Set(other)) => own.merge(other),
            (Cell::TwoPhase(own), Cell::TwoPhase(other)) => own.merge(other),
            (Cell::Map(own), Cell::Map(other)) => own.merge(other),
            (own, other) => unreachable!("all replicas hold one type, not {own:?} and {other:?}"),
        }
    }

    /// Digest of the content.
    pub fn digest(&self) -> u64 {
        match self {
            Cell::Register(own) => own.digest(),
            Cell::Multi(own) => own.digest(),
            Cell::Counter(own) => own.digest(),
            Cell::Set(own) => own.digest(),
            Cell::TwoPhase(own) => own.digest(),
            Cell::Map(own) => own.digest(),
        }
    }
}

//! Rows of runs on disk: what a killed command goes on from, and what a shard of a cluster hands in.
//!
//! A file is a header (`murphy rows 1`, the identity of what is run), then records, each with its
//! length, the index of its job and a hash, in any order. A file that is complete ends with a footer: the
//! number of records and the hash of all that comes before. What a kill leaves behind is a file
//! whose last record may be cut off: the records before it count.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use murphy_reports::{ExpectationResult, RunSummary};
use serde::{Deserialize, Serialize};

/// What is left of one run: all that tables, expectations and comparisons need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The run, condensed.
    pub summary: RunSummary,
    /// Its expectations, in scenario order.
    pub expectations: Vec<ExpectationResult>,
    /// Figures for comparisons, in scenario order.
    pub figures: Vec<Option<f64>>,
}

/// Where rows of runs that were done before come from, and where new ones go.
pub trait Store: Sync {
    /// The row of a job that was done before.
    fn load(&self, job: usize) -> Option<Row>;

    /// Keeps a row. Called from any thread, as soon as a run is done.
    fn save(&self, job: usize, row: &Row);
}

/// Keeps nothing.
impl Store for () {
    fn load(&self, _: usize) -> Option<Row> {
        None
    }

    fn save(&self, _: usize, _: &Row) {}
}

/// Why a file of rows is no good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as a file of rows does.
    #[error("not a file of rows")]
    Foreign,
    /// It belongs to other runs, or to another build.
    #[error("it belongs to {found}, and this is {expected}")]
    Other {
        /// The identity in the file.
        found: String,
        /// The identity that was wanted.
        expected: String,
    },
    /// It ends too early.
    #[error("truncated after {rows} whole rows")]
    Truncated {
        /// Rows before the break.
        rows: usize,
    },
    /// It holds something else than was written.
    #[error("corrupt after {rows} whole rows: a hash differs")]
    Corrupt {
        /// Rows before the mistake.
        rows: usize,
    },
}

const MAGIC: &str = "murphy rows 1\n";
const FOOTER: u32 = u32::MAX;
/// Bytes of a record before its payload: length, job, hash.
const HEAD: usize = 4 + 8 + 16;
/// Most bytes of one row: a longer length is a mistake in the file.
const MOST_BYTES: u32 = 1 << 30;

/// A file of rows that grows.
pub struct Journal {
    inner: Mutex<Inner>,
    /// Where each job's row begins; jobs that were done before only.
    places: Vec<Option<u64>>,
}

struct Inner {
    file: File,
    /// The first error: later rows are not kept, and nothing else fails.
    error: Option<io::Error>,
}

impl Journal {
    /// A new file.
    ///
    /// # Errors
    /// When it cannot be made, or another process writes to it.
    pub fn create(path: &Path, identity: &str) -> Result<Journal, RowsError> {
        let mut file = open(path)?;
        file.set_len(0)?;
        file.write_all(header(identity).as_bytes())?;
        Ok(Journal { inner: Mutex::new(Inner { file, error: None }), places: Vec::new() })
    }

    /// Goes on with a file that was left behind; a new one when there is none. What a kill cut off goes.
    ///
    /// # Errors
    /// When it cannot be read or written, is not a file of rows, or belongs to other runs.
    pub fn resume(path: &Path, identity: &str, jobs: usize) -> Result<Journal, RowsError> {
        if !path.is_file() {
            return Journal::create(path, identity);
        }
        let mut file = open(path)?;
        let mut places = vec![None; jobs];
        let mut scan = Scan::start(&mut file, identity)?;
        let mut end = scan.position;
        while let Ok(Some(record)) = scan.next() {
            if let Some(place) = usize::try_from(record.job).ok().and_then(|job| places.get_mut(job)) {
                *place = Some(end);
            }
            end = scan.position;
        }
        drop(scan);
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Journal { inner: Mutex::new(Inner { file, error: None }), places })
    }

    /// How many rows were there before.
    pub fn done(&self) -> usize {
        self.places.iter().flatten().count()
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Journal {
    fn load(&self, job: usize) -> Option<Row> {
        let place = (*self.places.get(job)?)?;
        let mut inner = self.inner();
        let end = inner.file.stream_position().ok()?;
        inner.file.seek(SeekFrom::Start(place)).ok()?;
        let record = read_record(&mut inner.file).ok()??;
        inner.file.seek(SeekFrom::Start(end)).ok()?;
        record.row()
    }

    fn save(&self, job: usize, row: &Row) {
        let record = encode(job as u64, row);
        let mut inner = self.inner();
        if inner.error.is_none() {
            inner.error = inner.file.write_all(&record).err();
        }
    }
}

/// A complete file of rows, as bytes: rows in order, and the footer.
pub fn shard_bytes<'r>(identity: &str, rows: impl Iterator<Item = (usize, &'r Row)>) -> Vec<u8> {
    let mut bytes = header(identity).into_bytes();
    let mut count: u64 = 0;
    for (job, row) in rows {
        bytes.extend(encode(job as u64, row));
        count += 1;
    }
    bytes.extend(FOOTER.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

/// Reads a complete file: every hash is checked.
///
/// # Errors
/// What is wrong with it.
pub fn read_shard(path: &Path, identity: &str) -> Result<Vec<(usize, Row)>, RowsError> {
    let bytes = std::fs::read(path)?;
    let mut reader = bytes.as_slice();
    let mut scan = Scan::start(&mut reader, identity)?;
    let mut rows = Vec::new();
    loop {
        let read = scan.next();
        let corrupt = RowsError::Corrupt { rows: rows.len() };
        match read {
            Ok(Some(record)) => {
                let job = usize::try_from(record.job).unwrap_or(usize::MAX);
                let Some(row) = record.row() else { return Err(corrupt) };
                rows.push((job, row));
            }
            Ok(None) => break,
            Err(Broken::Short) => return Err(RowsError::Truncated { rows: rows.len() }),
            Err(Broken::Wrong) => return Err(corrupt),
        }
    }
    let end = usize::try_from(scan.position).unwrap_or(usize::MAX);
    let footer = bytes.get(end..).unwrap_or_default();
    if footer.len() < 4 + 8 + 32 {
        return Err(RowsError::Truncated { rows: rows.len() });
    }
    let hashed = blake3::hash(&bytes[..end + 12]);
    let right = footer.len() == 44
        && footer[4..12] == (rows.len() as u64).to_le_bytes()
        && footer[12..] == *hashed.as_bytes();
    if right { Ok(rows) } else { Err(RowsError::Corrupt { rows: rows.len() }) }
}

/// Opens for reading and writing, by this process only.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.try_lock().map_err(|_| io::Error::other("another process writes to it"))?;
    Ok(file)
}

fn header(identity: &str) -> String {
    format!("{MAGIC}{identity}\n")
}

struct Record {
    job: u64,
    payload: Vec<u8>,
}

impl Record {
    fn row(&self) -> Option<Row> {
        rmp_serde::from_slice(&self.payload).ok()
    }
}

enum Broken {
    Short,
    Wrong,
}

fn encode(job: u64, row: &Row) -> Vec<u8> {
    let payload = rmp_serde::to_vec_named(row).expect("a row is plain data");
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend(u32::try_from(payload.len()).expect("a row is smaller than 4 GB").to_le_bytes());
    bytes.extend(job.to_le_bytes());
    bytes.extend(&hash(job, &payload));
    bytes.extend(payload);
    bytes
}

fn hash(job: u64, payload: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&job.to_le_bytes()).update(payload);
    let mut first = [0; 16];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    first
}

/// The next record; `None` at the footer.
fn read_record(reader: &mut impl Read) -> Result<Option<Record>, Broken> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).map_err(|_| Broken::Short)?;
    let length = u32::from_le_bytes(length);
    if length == FOOTER {
        return Ok(None);
    }
    if length > MOST_BYTES {
        return Err(Broken::Wrong);
    }
    let mut head = [0; HEAD - 4];
    reader.read_exact(&mut head).map_err(|_| Broken::Short)?;
    let (job, expected) = head.split_at(8);
    let job = u64::from_le_bytes(job.try_into().expect("eight bytes"));
    let mut payload = Vec::new();
    let read = reader.take(u64::from(length)).read_to_end(&mut payload).map_err(|_| Broken::Short)?;
    if read < length as usize {
        return Err(Broken::Short);
    }
    if hash(job, &payload) == *expected { Ok(Some(Record { job, payload })) } else { Err(Broken::Wrong) }
}

/// Walks the records of a file.
struct Scan<R: Read> {
    reader: BufReader<R>,
    /// Byte at which the next record begins.
    position: u64,
}

impl<R: Read> Scan<R> {
    fn start(reader: R, identity: &str) -> Result<Scan<R>, RowsError> {
        let mut reader = BufReader::new(reader);
        let mut magic = vec![0; MAGIC.len()];
        reader.read_exact(&mut magic).map_err(|_| RowsError::Foreign)?;
        if magic != MAGIC.as_bytes() {
            return Err(RowsError::Foreign);
        }
        let mut found = Vec::new();
        for byte in (&mut reader).take(1024).bytes() {
            match byte? {
                b'\n' => break,
                byte => found.push(byte),
            }
        }
        if found != identity.as_bytes() {
            let found = String::from_utf8_lossy(&found).into_owned();
            return Err(RowsError::Other { found, expected: identity.to_owned() });
        }
        Ok(Scan { reader, position: (MAGIC.len() + identity.len() + 1) as u64 })
    }

    fn next(&mut self) -> Result<Option<Record>, Broken> {
        let record = read_record(&mut self.reader)?;
        self.position += record.as_ref().map_or(0, |record| (HEAD + record.payload.len()) as u64);
        Ok(record)
    }
}

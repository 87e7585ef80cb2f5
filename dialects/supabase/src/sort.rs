//! Sorting more than fits into memory: what is given is kept in runs on the disk, in a file that has no name any more, so
//! that nothing of it stays whatever becomes of the process.
//!
//! Memory is one run while it takes, and then a small buffer for each run: half a mebibyte for each gibibyte.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{File, OpenOptions},
    hash::{BuildHasher, Hasher},
    io::{self, BufWriter, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

/// Bytes of a run.
pub const RUN: usize = 32 * 1024 * 1024;
/// Bytes that are read of a run at once.
const BUFFER: usize = 16 * 1024;
/// What an entry costs in memory beside its bytes.
const OVERHEAD: usize = 64;

/// A key and what belongs to it. Entries of one key stay in the order in which they came.
type Entry = (Box<[u8]>, Box<[u8]>);
/// The key of a run's next entry, which run, and what belongs to the key.
type Head = (Box<[u8]>, usize, Box<[u8]>);

/// Takes entries.
pub struct Sorter {
    run: usize,
    held: Vec<Entry>,
    bytes: usize,
    spill: Option<BufWriter<File>>,
    /// Where each run begins in the file, and where the last one ends.
    bounds: Vec<u64>,
}

impl Sorter {
    /// With runs of so many bytes.
    pub fn new(run: usize) -> Self {
        Self { run, held: Vec::new(), bytes: 0, spill: None, bounds: vec![0] }
    }

    /// Takes an entry.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.bytes += key.len() + value.len() + OVERHEAD;
        self.held.push((key.into(), value.into()));
        if self.bytes > self.run { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_by(|a, b| a.0.cmp(&b.0));
        let mut end = self.bounds.last().copied().unwrap_or(0);
        let file = match &mut self.spill {
            Some(file) => file,
            None => {
                self.spill.insert(BufWriter::with_capacity(1024 * 1024, nameless(&std::env::temp_dir())?))
            }
        };
        for (key, value) in self.held.drain(..) {
            for part in [&key, &value] {
                let length = u32::try_from(part.len()).map_err(io::Error::other)?;
                file.write_all(&length.to_le_bytes())?;
                file.write_all(part)?;
                end += 4 + part.len() as u64;
            }
        }
        self.bounds.push(end);
        self.bytes = 0;
        Ok(())
    }

    /// Everything that was taken, in the order of keys.
    pub fn sorted(mut self) -> io::Result<Sorted> {
        if self.spill.is_none() {
            self.held.sort_by(|a, b| a.0.cmp(&b.0));
            return Ok(Sorted::Held(self.held.into_iter()));
        }
        self.spill()?;
        let Some(spill) = self.spill else { return Ok(Sorted::Held(Vec::new().into_iter())) };
        let file = spill.into_inner().map_err(io::IntoInnerError::into_error)?;
        let runs = self.bounds.windows(2).map(|pair| Run::new(pair[0], pair[1])).collect();
        let mut merge = Merge { file, runs, heap: BinaryHeap::new() };
        for run in 0..merge.runs.len() {
            merge.pull(run)?;
        }
        Ok(Sorted::Merged(merge))
    }
}

/// A file that only we can reach: without a name as soon as it is made.
fn nameless(folder: &Path) -> io::Result<File> {
    // Each `RandomState` has keys of its own. The name need not be secret, only new.
    let unique = std::hash::RandomState::new().build_hasher().finish();
    let path = folder.join(format!("latchstring-{}-{unique:016x}", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// What was taken, in order.
pub enum Sorted {
    /// It fitted into memory.
    Held(std::vec::IntoIter<Entry>),
    /// It did not.
    Merged(Merge),
}

impl Iterator for Sorted {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Sorted::Held(held) => held.next().map(Ok),
            Sorted::Merged(merge) => merge.next(),
        }
    }
}

/// The runs, merged.
pub struct Merge {
    file: File,
    runs: Vec<Run>,
    /// The next entry of each run. Of equal keys, that of the earlier run.
    heap: BinaryHeap<Reverse<Head>>,
}

impl Merge {
    fn pull(&mut self, run: usize) -> io::Result<()> {
        if let Some((key, value)) = self.runs[run].next(&self.file)? {
            self.heap.push(Reverse((key, run, value)));
        }
        Ok(())
    }

    fn next(&mut self) -> Option<io::Result<Entry>> {
        let Reverse((key, run, value)) = self.heap.pop()?;
        Some(self.pull(run).map(|()| (key, value)))
    }
}

/// One run, read through a buffer.
struct Run {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Run {
    fn new(at: u64, end: u64) -> Self {
        Self { at, end, buffer: Vec::new(), used: 0 }
    }

    fn next(&mut self, file: &File) -> io::Result<Option<Entry>> {
        if self.used == self.buffer.len() && self.at == self.end {
            return Ok(None);
        }
        let key = self.part(file)?;
        Ok(Some((key, self.part(file)?)))
    }

    fn part(&mut self, file: &File) -> io::Result<Box<[u8]>> {
        let mut length = [0; 4];
        self.read(file, &mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        let mut part = vec![0; length];
        self.read(file, &mut part)?;
        Ok(part.into_boxed_slice())
    }

    fn read(&mut self, file: &File, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            if self.used == self.buffer.len() {
                let left = usize::try_from(self.end - self.at).unwrap_or(BUFFER);
                if left == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.buffer.resize(left.min(BUFFER), 0);
                file.read_exact_at(&mut self.buffer, self.at)?;
                self.at += self.buffer.len() as u64;
                self.used = 0;
            }
            let length = out.len().min(self.buffer.len() - self.used);
            out[..length].copy_from_slice(&self.buffer[self.used..self.used + length]);
            self.used += length;
            out = &mut out[length..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_memory_is_sorted_as_what_does() {
        let entries: Vec<(Vec<u8>, Vec<u8>)> = (0..5_000_u32)
            .map(|n| {
                let key = (n.wrapping_mul(2_654_435_761) % 1_000).to_be_bytes().to_vec();
                let value = vec![b'x'; (n % 97) as usize * (1 + n as usize % 3 * 300)];
                (key, [&n.to_be_bytes()[..], &value].concat())
            })
            .collect();
        let sort = |run: usize| -> Vec<Entry> {
            let mut sorter = Sorter::new(run);
            for (key, value) in &entries {
                sorter.add(key, value).expect("taken");
            }
            sorter.sorted().expect("sorted").map(|entry| entry.expect("read")).collect()
        };
        let mut expected = entries.clone();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        for run in [usize::MAX, 1 << 20, 100_000, 3_000] {
            let got = sort(run);
            assert_eq!(got.len(), expected.len());
            for ((key, value), (k, v)) in got.iter().zip(&expected) {
                assert!(**key == **k && **value == **v, "runs of {run}");
            }
        }
        assert_eq!(Sorter::new(10).sorted().expect("nothing").count(), 0);
    }

    #[test]
    fn the_file_has_no_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = nameless(folder.path()).expect("made");
        (&file).write_all(b"x").expect("written");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 0);
    }
}

//! The door to the database: one writer, a few readers, each on a thread of its own.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{StoreError, maintain, migrate};

/// How long a statement waits for another process that holds the file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: usize = 3;
/// KiB of pages each connection keeps; the rest comes through the memory map.
const CACHE_KIB: i64 = 4096;
const MMAP_BYTES: i64 = 128 << 20;
const STATEMENTS: usize = 128;

/// A database. Cheap to clone; the file is closed when the last clone is gone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: tokio_rusqlite::Connection,
    readers: Vec<Reader>,
}

struct Reader {
    conn: tokio_rusqlite::Connection,
    /// Reads given to it that have not come back.
    waiting: AtomicUsize,
}

impl Store {
    /// Opens the database at `path`, creating it and its folder (readable by the owner only) where missing and
    /// bringing its schema up to date after a copy was made.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] if a newer program wrote it, [`StoreError::Corrupt`] if it is not Loci's; the
    /// file is untouched in both cases.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(path))
            .await
            .map_err(|_| StoreError::Closed)?
    }

    fn open_blocking(path: PathBuf) -> Result<Self, StoreError> {
        create_folder(&path)?;
        let writer = migrate::open_current(&path, migrate::ALL)?;
        tune(&writer)?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(Reader { conn: open_reader(&path)?.into(), waiting: AtomicUsize::new(0) });
        }
        Ok(Self(Arc::new(Inner { path, writer: writer.into(), readers })))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Reads. All statements of one call see the same state of the database.
    ///
    /// # Errors
    /// Whatever `read` returns, or that the store is closed.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.try_read(read).await
    }

    /// [`Self::read`] for a caller with an error of its own.
    ///
    /// # Errors
    /// Whatever `read` returns, or that the store is closed.
    pub async fn try_read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let reader = self.0.readers.iter().min_by_key(|reader| reader.waiting.load(Ordering::Relaxed));
        let reader = reader.expect("READERS is not zero");
        let _turn = Turn::take(&reader.waiting);
        run(&reader.conn, TransactionBehavior::Deferred, |tx| read(tx)).await
    }

    /// Writes: one transaction, committed if `write` returns `Ok`, otherwise undone. Calls run one after another.
    /// Dropping the future does not stop a write under way.
    ///
    /// # Errors
    /// Whatever `write` returns, or that the store is closed.
    pub async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.try_write(write).await
    }

    /// [`Self::write`] for a caller with an error of its own, for example to refuse inside the transaction.
    ///
    /// # Errors
    /// Whatever `write` returns, or that the store is closed.
    pub async fn try_write<T, E, F>(&self, write: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        run(&self.0.writer, TransactionBehavior::Immediate, write).await
    }

    /// Brings the write-ahead log into the database file and empties it, so that what was overwritten with
    /// `secure_delete` is in neither. Waits for readers, but not long: what cannot be brought over now is later.
    ///
    /// # Errors
    /// If the file cannot be written, or the store is closed.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let done = self
            .0
            .writer
            .call_raw(|conn| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
            .await
            .map_err(|_| StoreError::Closed)?;
        Ok(done?)
    }

    /// A consistent copy of the database in a new file, while others go on reading and writing.
    ///
    /// # Errors
    /// If the file exists already or cannot be written.
    pub async fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let (from, to) = (self.0.path.clone(), to.as_ref().to_owned());
        tokio::task::spawn_blocking(move || maintain::backup(&from, &to))
            .await
            .map_err(|_| StoreError::Closed)?
    }
}

/// Runs a closure on a connection's own thread, in one transaction. A panic in it is the caller's: the thread
/// and the connection live on.
async fn run<T, E, F>(
    conn: &tokio_rusqlite::Connection,
    behavior: TransactionBehavior,
    work: F,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
{
    let outcome = conn
        .call_raw(move |conn| {
            let tx = match conn.transaction_with_behavior(behavior) {
                Ok(tx) => tx,
                Err(error) => return Ok(Err(StoreError::from(error).into())),
            };
            // An early return drops the transaction, which undoes it.
            catch_unwind(AssertUnwindSafe(|| {
                let value = work(&tx)?;
                tx.commit().map_err(StoreError::from)?;
                Ok(value)
            }))
        })
        .await;
    match outcome {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => Err(StoreError::Closed.into()),
    }
}

/// Counts a read as waiting for as long as it lives.
struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    tune(&conn)?;
    Ok(conn)
}

fn tune(conn: &Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.pragma_update_and_check(None, "mmap_size", MMAP_BYTES, |_| Ok(()))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn create_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|why| StoreError::Io {
        action: "cannot create",
        path: folder.to_owned(),
        why,
    })
}

/// The right to serve from a database; given back when dropped, also by a killed process.
#[derive(Debug)]
pub struct Claim {
    _lock: fs::File,
}

/// Claims the database at `path` for this process, so that two servers do not run the same agents. Reading,
/// `doctor` and `backup` need no claim.
///
/// # Errors
/// [`StoreError::InUse`] if another process holds it.
pub fn claim(path: impl AsRef<Path>) -> Result<Claim, StoreError> {
    let path = path.as_ref();
    create_folder(path)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    migrate::create_private(&lock)?;
    let failed = |why| StoreError::Io { action: "cannot lock", path: lock.clone(), why };
    let file = fs::File::options().write(true).open(&lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Claim { _lock: file }),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(fs::TryLockError::Error(why)) if why.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!("this file system has no locks; nothing keeps a second server away");
            Ok(Claim { _lock: file })
        }
        Err(fs::TryLockError::Error(why)) => Err(failed(why)),
    }
}

// Package durable is a key-value database on Badger, in a directory of a local disk. It knows no record: its keys are strings,
// its values bytes.
//
// [DB] is an open database. [DB.Update] runs a function on a [Tx], atomically and one after the other, so that reading a value,
// comparing it and writing another is a compare-and-set. [DB.Get], [DB.View] and [DB.Scan] read. [Repair] repairs a database
// that [Open] refuses.
//
// # Writes
//
// One goroutine at a time writes: one of those that wait for their own writes. It drains bounded queues of commands into one
// transaction with SyncWrites, the urgent queue first, and acknowledges all of them when that transaction is durable. Concurrent
// requests share one fsync, transactions never conflict, and a power cut loses nothing that was acknowledged. A command sees the
// writes of the commands before it, and reads those of the last few megabytes from memory. A command that returns an error writes
// nothing.
//
// After the first I/O error the database accepts no more writes ([DB.Stopped]), whether a commit failed or Badger's background
// work: a flush of a memtable, a compaction, the MANIFEST. Badger by itself retries, deletes files that are still needed, and
// ignores that a compaction could not write an SSTable. A watch on the MANIFEST reverts each change that is incomplete or not
// durable, so that the next start finds all data (watch.go).
//
// # Data loss is detected at start
//
// On recovery Badger discards data silently: it truncates a WAL at the first corrupt entry, deletes SSTables that its MANIFEST
// does not list, and reports the keys of a corrupt block as missing. Therefore each batch of commands has a number, and
//
//   - the journal, the file HEAD, holds the last two batches in two preallocated slots. The journal and the database are
//     written and synced concurrently: a commit takes about a quarter longer than without the journal; one after the other it
//     would be two fifths. A batch that a power cut leaves in the journal only is applied at the next start. HEAD is the first
//     file of a database and is created atomically: if it is short, or missing beside other files, the database is damaged;
//   - each batch writes its number into the database, under one of 2^18 keys in turn. At start the last 2^18 numbers must be
//     there, up to that of the last batch in the journal. This detects a missing end and a gap;
//   - every block of every SSTable is verified, before anything is served that rests on it; see below;
//   - Badger's files are copied or linked into the directory kept before Badger opens them, and stay there if the database is
//     refused ([ErrDamaged]). Badger deletes no SSTable and no WAL before the checks have passed.
//
// [Repair] repairs what can be repaired without loss, and accepts a loss if told to. README.md compares HEAD with a log that is the only
// synced file.
//
// # SSTables are verified while they are in use
//
// Badger verifies the checksum of a block that it reads, and then reports the keys of a corrupt one as missing, to readers and to
// compactions. To verify all blocks before the first request takes time in proportion to the data. A start therefore verifies of each
// SSTable only what Badger reads to open it, the index and the last block; a file that is missing or cut short is found there. All
// else is verified in the background, at no more than 64 MiB a second, and until that is complete
//
//   - a read is confirmed: the blocks of unverified SSTables in which its keys are, or would be, are verified with it. A key is
//     confirmed before it is read, a range after that and before the function that reads it returns. So nothing that rests on a
//     damaged block leaves this package: neither a record, nor that there is none, nor a write of a function that has read it;
//   - an unverified SSTable is verified before the MANIFEST accepts the compaction that replaces it. It is still there then. Its
//     successors need no verification: this process has written them;
//   - the numbers of the batches are read like all else. The WALs are not part of this: Badger reads them as a whole at start, and
//     the numbers tell whether all of their batches were there.
//
// The first damaged block stops the database with [ErrDamaged], and with it the process. The file CHECKING exists until a
// verification is complete or the database is closed. A start that finds it verifies everything before Badger opens the files, and
// refuses what is damaged. So does the start after Badger has died of a damaged block: it can panic when it compacts one, and a sector
// that cannot be read kills a process that has mapped it.
//
// The background verification is repeated every day with the same rules, for damage that occurs while the process runs. Between two
// rounds a read may miss the keys of such a block. A compaction cannot: it is accepted if it has seen as many keys as its SSTables
// have, or if these are intact. Databases with NoSync are not verified.
//
// # Encryption
//
// With [Options.EncryptionKey] all keys and values are encrypted on the disk. Badger encrypts SSTables and WALs with AES-CTR under a
// random data key, which the file KEYREGISTRY holds encrypted with the given key. HEAD is encrypted with AES-GCM under a key derived from
// the data key. Sizes, numbers of batches, checksums and times are not secret, and AES-CTR does not show that somebody has changed a
// file: encryption is against who gets the disk or a copy of it. [Rekey] encrypts the data key anew; [Copy] copies to another database.
//
// # A full disk
//
// Badger maps its files into memory. On a full disk a write to such a mapping kills the process with SIGBUS. Therefore writes
// are refused with [ErrDiskFull] before they begin while less than a reserve is free; reads continue, and writes do as soon as
// there is space. Urgent writes may use half of the reserve. The file BALLAST is deleted when other programs fill the disk, so
// that the database can be opened and read. If another process uses up the reserve during a flush, Badger still dies with
// SIGBUS; acknowledged writes are in the WALs.
//
// # Caveats
//
// Keys that begin with "all/-/nr/" are the database's own: the numbers of the batches, eight bytes each. [DB.Scan] shows them.
//
// Badger quotes keys in its log messages. Keys of users begin with "test/", "prod/" or "all/"; the log shows what begins like
// that as "…".
package durable

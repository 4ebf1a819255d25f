// Package durable is a key-value database on Badger, in a directory of a local disk. It knows no record: its keys are strings,
// its values bytes.
//
// [DB] is an open database. [DB.Update] runs a function on a [Tx], atomically and one after the other, so that reading a value,
// comparing it and writing another is a compare-and-set. [DB.Get], [DB.View] and [DB.Scan] read. [Repair] repairs a database
// that [Open] refuses.
//
// # Writes
//
// One goroutine writes. It drains bounded queues of commands into one transaction with SyncWrites, the urgent queue first, and
// acknowledges all of them when that transaction is durable. Concurrent requests share one fsync, transactions never conflict,
// and a power cut loses nothing that was acknowledged. A command sees the writes of the commands before it. A command that
// returns an error writes nothing.
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
//   - every block of every SSTable is verified at start, before Badger opens the files;
//   - Badger's files are copied or linked into the directory kept before Badger opens them, and stay there if the database is
//     refused ([ErrDamaged]). Badger deletes no SSTable and no WAL before the checks have passed.
//
// [Repair] repairs what can be repaired without loss, and accepts a loss if told to.
//
// A block that is damaged while the process runs is not detected before the next start: until then its keys are missing.
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

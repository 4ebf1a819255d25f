// Package backup makes backups of an open database into a directory, and restores them. [Service] makes them while the database takes
// writes, [Directory] reads them.
//
// A backup is one file, and a point in time that can be restored. A chain is a full backup and the incremental ones after it, each with
// what has changed since the one before. A chain lasts a day at most and belongs to one run of the server: the first backup of a run is
// a full one, because what was removed since the last backup is known to the running database only.
//
// # Files
//
// A file is named after its chain, which is the time of its full backup, and its number in the chain: 20261129T120458.123Z-00003.backup.
// It is written under that name and ".unfinished", synced and renamed.
//
//	file     "crepe backup 1\n" | part 'P' | parts 'C' … | part 'E'
//	part     kind u8 | length u32 | body | SHA-256 of the one before, kind, length and body
//	P        the [Point], JSON; before it "the one before" is the SHA-256 of the file's first line
//	C        changes: key length | key | expiry in Unix seconds or 0 | value length + 1, or 0 if the key is removed | value; numbers are uvarints
//	E        the number of changes, JSON
//
// So the last SHA-256 of a file covers all of it. The next file of the chain names it, so that no file can be changed, cut short, left out or
// exchanged unnoticed. The SHA-256 are no signature: whoever can write the directory can make a chain that is valid.
//
// The records in a file are not encrypted, also those of an encrypted database. They hold personal data and signing keys.
package backup

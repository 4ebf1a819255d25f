package durable

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// KeySize is the length of an encryption key in bytes: AES-256.
const KeySize = 32

// Errors of opening a database with another key than its own. They change nothing.
var (
	ErrKeyMissing   = errors.New("durable: the database is encrypted, and no key is given")
	ErrKeyWrong     = errors.New("durable: the database is encrypted with another key, or its file KEYREGISTRY is damaged")
	ErrNotEncrypted = errors.New("durable: a key is given, and the database is not encrypted, or its file KEYREGISTRY is missing")
)

// emptyRegistry is the size in bytes of a file KEYREGISTRY without data keys. That of an encrypted database has one.
const emptyRegistry = 28

// dataKey returns the key that a database is encrypted with, nil if it is not encrypted. It is random, and the file KEYREGISTRY has it,
// encrypted with the given key. A new database gets one. The caller has locked the directory.
func dataKey(dir string, given []byte) ([]byte, error) {
	info, err := os.Stat(filepath.Join(dir, badger.KeyRegistryFileName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	encrypted := err == nil && info.Size() > emptyRegistry
	switch {
	case encrypted && given == nil:
		return nil, fmt.Errorf("%w: %s", ErrKeyMissing, dir)
	case encrypted:
		return readDataKey(dir, given)
	}
	if listed, err := listedTables(dir); err != nil {
		return nil, err
	} else if uses(listed) {
		return nil, damaged("the file KEYREGISTRY is missing, without which the encrypted SSTables cannot be read")
	}
	if given == nil {
		return nil, nil
	}
	for _, pattern := range []string{"*.sst", "*.mem"} {
		if names, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(names) > 0 {
			return nil, fmt.Errorf("%w: %s", ErrNotEncrypted, dir)
		}
	}
	return readDataKey(dir, given)
}

// uses reports whether an SSTable is encrypted.
func uses(tables map[uint64]badger.TableManifest) bool {
	for _, t := range tables {
		if t.KeyID != 0 {
			return true
		}
	}
	return false
}

// dataKeyLife is after how long Badger would make another data key: never. It must be less than the time since 1970, or Badger makes none.
const dataKeyLife = 50 * 365 * 24 * time.Hour

func registry(dir string, given []byte) badger.KeyRegistryOptions {
	return badger.KeyRegistryOptions{Dir: dir, EncryptionKey: given, EncryptionKeyRotationDuration: dataKeyLife}
}

// readDataKey reads the data key, or makes it.
func readDataKey(dir string, given []byte) ([]byte, error) {
	if len(given) != KeySize {
		return nil, fmt.Errorf("durable: an encryption key of %d bytes; it must have %d", len(given), KeySize)
	}
	keys, err := badger.OpenKeyRegistry(registry(dir, given))
	if errors.Is(err, badger.ErrEncryptionKeyMismatch) {
		return nil, fmt.Errorf("%w: %s", ErrKeyWrong, dir)
	}
	if err != nil {
		return nil, damaged("the file KEYREGISTRY: %v", err)
	}
	key, err := keys.LatestDataKey()
	if err := errors.Join(err, keys.Close()); err != nil {
		return nil, err
	}
	return key.Data, nil
}

// headCipher returns the cipher of the journal of an encrypted database.
func headCipher(key []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Expand(sha256.New, key, "crepe HEAD", KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// unlock checks the key of the options and prepares what is encrypted.
func (db *DB) unlock() error {
	key, err := dataKey(db.dir, db.options.EncryptionKey)
	if err != nil || key == nil {
		return err
	}
	db.verifier.key = key
	db.journal.aead, err = headCipher(key)
	return err
}

// Rekey encrypts the data key of a database that is not open with another key, atomically. What is encrypted with the data key stays as
// it is: who has the old key and an old copy of KEYREGISTRY can still read it. [Copy] makes a new data key. Its errors are those of
// [Open] with a wrong key.
func Rekey(dir string, old, given []byte) (err error) {
	if _, err := os.Stat(filepath.Join(dir, journalFile)); err != nil {
		return err
	}
	if len(given) != KeySize {
		return fmt.Errorf("durable: an encryption key of %d bytes; it must have %d", len(given), KeySize)
	}
	j, err := openJournal(dir, Options{NoSync: true}) // its lock
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.file.Close()) }()
	key, err := dataKey(dir, old)
	if err != nil {
		return err
	}
	if key == nil {
		return fmt.Errorf("%w: %s", ErrNotEncrypted, dir)
	}
	from := registry(dir, old)
	from.ReadOnly = true
	keys, err := badger.OpenKeyRegistry(from)
	if err == nil {
		err = badger.WriteKeyRegistry(keys, registry(dir, given))
	}
	if err != nil {
		return err
	}
	if now, err := readDataKey(dir, given); err != nil || !bytes.Equal(now, key) {
		return errors.Join(err, errors.New("durable: the new KEYREGISTRY has another key"))
	}
	return nil
}

// copyBatch is how many bytes of keys and values Copy writes in one Update, about; a key counts 64 more.
const copyBatch = 64 << 10

// Copy copies all keys of a database into another one, which must be empty.
func Copy(from, to *DB) error {
	return from.Read(func(s *Snapshot) error {
		keys := s.Keys("", "")
		for keys.Valid() {
			var batch Tx
			for size := 0; keys.Valid() && size < copyBatch; keys.Next() {
				if key := keys.Key(); !isNumber(key) {
					value, err := keys.Value()
					if err != nil {
						return err
					}
					batch.put(key, value, keys.it.Item().ExpiresAt())
					size += 64 + len(key) + len(value)
				}
			}
			if err := to.Update(func(tx *Tx) error { tx.puts = batch.puts; return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

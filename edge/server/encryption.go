package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// EncryptionKeySize is the length of [Config.EncryptionKey] in bytes.
const EncryptionKeySize = durable.KeySize

// Rekey changes the encryption key of the databases of a stopped server. If it is interrupted between two of them, call it again.
func Rekey(data string, old, changed []byte) error {
	for _, name := range []string{ownDatabase, sandboxDatabase} {
		_, err := openDatabase(data, name, func(dir string) (struct{}, error) {
			err := durable.Rekey(dir, old, changed)
			if errors.Is(err, durable.ErrKeyWrong) && durable.Rekey(dir, changed, changed) == nil { // by an interrupted call
				err = nil
			}
			return struct{}{}, err
		})
		if err != nil && !(name == sandboxDatabase && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

// unfinishedData is added to the name of a copy that is not complete.
const unfinishedData = ".unfinished"

// CopyData copies the databases of a stopped server to a directory that does not exist yet. A key is nil where they are not encrypted.
// Other files of the directory, such as those of crepe dev, are not copied.
func CopyData(data string, key []byte, to string, toKey []byte, log *slog.Logger) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s exists already; choose another directory with --to", to))
	}
	if err := os.RemoveAll(to + unfinishedData); err != nil {
		return err
	}
	for _, name := range []string{ownDatabase, sandboxDatabase} {
		if !durable.Exists(filepath.Join(data, name)) {
			if name == ownDatabase {
				return fmt.Errorf("%s has no database: %w", data, fs.ErrNotExist)
			}
			continue
		}
		if err := copyDatabase(data, key, to+unfinishedData, toKey, name, log); err != nil {
			return err
		}
	}
	return os.Rename(to+unfinishedData, to)
}

func copyDatabase(data string, key []byte, to string, toKey []byte, name string, log *slog.Logger) error {
	open := func(data string, key []byte) (*durable.DB, error) {
		return openDatabase(data, name, func(dir string) (*durable.DB, error) {
			return durable.Open(dir, durable.Options{Log: log, NoSync: name == sandboxDatabase, EncryptionKey: key})
		})
	}
	from, err := open(data, key)
	if err != nil {
		return err
	}
	made, err := open(to, toKey)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	return errors.Join(durable.Copy(from, made), made.Close(), from.Close())
}

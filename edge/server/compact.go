package server

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// Compact rewrites the files of a data directory that no server uses, so that nothing is left in them of what was erased, overwritten or has
// expired. key is nil if it is not encrypted. See [durable.Compact].
func Compact(data string, key []byte, log *slog.Logger) error {
	dir := filepath.Join(data, ownDatabase)
	if !durable.Exists(dir) {
		return fmt.Errorf("there is no database of crepe in %s; --data DIR names the data directory of the server", data)
	}
	_, err := openDatabase(data, ownDatabase, func(dir string) (struct{}, error) {
		return struct{}{}, durable.Compact(dir, durable.Options{Log: log, EncryptionKey: key})
	})
	if errors.Is(err, durable.ErrInUse) {
		return fmt.Errorf("stop the server first: %w", err)
	}
	return err
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/server"
)

const repairUsage = `crepe repair checks the databases of a data directory and repairs them where no acknowledged write is lost. Stop the
server first. It prints each step, keeps a copy of what it changes, and changes nothing if the repair fails.

Examples:
  crepe repair --data /var/lib/crepe
      Checks every SSTable and every batch of writes. Removes an SSTable that was never completed from the MANIFEST.
  crepe repair --data /var/lib/crepe --accept-loss
      Keeps what can be read, although orders that buyers have paid for may be missing. Restoring a backup is better;
      without one, compare the orders with the payment provider's list afterwards.

Settings:
`

// repair checks and repairs the databases of a stopped server. The error for a damaged database names this command.
func repair(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	f := newFlags("repair", repairUsage)
	data := f.String("data", "", "data `directory` of the stopped server (CREPE_DATA)")
	accept := f.Bool("accept-loss", false, "keep what can be read, although acknowledged orders may be missing")
	config := configFlag(f)
	var key []byte
	encryptionKey(f, &key)
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if err := loadSome(f, config, "data", "encryption-key-file"); err != nil {
		return err
	}
	if *data == "" {
		return misuse(f, "--data DIR is needed")
	}
	return server.Repair(*data, key, *accept, func(step string) { fmt.Fprintln(stdout, step) }, log)
}

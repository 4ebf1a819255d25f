package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/server"
)

const repairUsage = `crepe repair checks the databases of a data directory, and mends them where no acknowledged write is lost. Stop the
server first. It tells each step, keeps a copy of what it changes, and changes nothing if that does not help.

Examples:
  crepe repair --data /var/lib/crepe
      Checks every table and every batch of writes. Takes a table from the MANIFEST that was never completed.
  crepe repair --data /var/lib/crepe --accept-loss
      Goes on with what can be read, although orders may be missing from it that buyers have paid for. A backup is
      better; without one, compare the orders with the payment provider's list afterwards.

Settings:
`

// repair is the command that the refusals of a damaged database name.
func repair(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	f := newFlags("repair", repairUsage)
	data := f.String("data", "", "data `directory` of the stopped server (CREPE_DATA)")
	accept := f.Bool("accept-loss", false, "go on with what can be read, although acknowledged orders may be missing from it")
	if err := setFromEnvironment(f, "data"); err != nil {
		return misuse(f, "%w", err)
	}
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if *data == "" {
		return misuse(f, "which data directory? --data DIR names it")
	}
	return server.Repair(*data, *accept, func(step string) { fmt.Fprintln(stdout, step) }, log)
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
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
func repair(args []string, stdout, stderr io.Writer, log *slog.Logger) error {
	f := flag.NewFlagSet("crepe repair", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(f.Output(), repairUsage)
		f.PrintDefaults()
	}
	data := f.String("data", os.Getenv("CREPE_DATA"), "data directory of the stopped server (CREPE_DATA)")
	accept := f.Bool("accept-loss", false, "go on with what can be read, although acknowledged orders may be missing from it")
	if err := parse(f, args); err != nil {
		return err
	}
	if *data == "" {
		return errors.New("which data directory? --data DIR names it")
	}
	var errs []error
	for _, name := range []string{ownDatabase, sandboxDatabase} {
		dir := filepath.Join(*data, name)
		if _, err := os.Stat(dir); err != nil {
			if name == ownDatabase {
				errs = append(errs, err)
			}
			continue
		}
		tell := func(step string) { fmt.Fprintf(stdout, "%s: %s\n", dir, step) }
		err := badgerstore.Repair(dir, badgerstore.Repairs{AcceptLoss: *accept, Tell: tell,
			Options: badgerstore.Options{Log: log, NoSync: name == sandboxDatabase}})
		if errors.Is(err, badgerstore.ErrDamaged) {
			err = fmt.Errorf("%w\n%s is as it was. Restore %s from a backup, or see --accept-loss in crepe repair --help", err, dir, *data)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

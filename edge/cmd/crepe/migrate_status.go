package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/server"
)

// directoryStatus prints the versions of a data directory and what the next start does.
func directoryStatus(data string, key []byte, stdout io.Writer, log *slog.Logger) error {
	s, err := server.Inspect(data, key, log)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(stdout, "%s has no database. The next start makes one.\n", data)
		return nil
	case errors.Is(err, durable.ErrInUse):
		fmt.Fprintf(stdout, "%s\n  files    format %d\n%s is in use, so that its server has brought it up to date already.\n", s.Dir, s.Format, data)
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintf(stdout, "%s\n  files    format %d; this version reads %d\n", s.Dir, s.Format, durable.Format)
	if s.Format != durable.Format {
		fmt.Fprintf(stdout, otherFormat, data)
		return nil
	}
	receipts := "missing for orders that were paid before there were any"
	if s.Receipts {
		receipts = "complete"
	}
	fmt.Fprintf(stdout, "  indexes  version %s; this version writes %s\n  receipts %s\n  use      crepe %s\n", cmp.Or(s.Indexes, "0"), server.IndexVersion,
		receipts, cmp.Or(s.Use, "serve or dev"))
	fmt.Fprint(stdout, nextStart(s))
	return nil
}

// otherFormat says how records come to a version of the program with another format.
const otherFormat = `This version cannot start on it. Move the records over PostgreSQL, with the version that has written them and then with this one:
  crepe migrate badger-to-postgres --data %[1]s --store URL    # the version before
  crepe migrate postgres-to-badger --data NEW_DIR --store URL    # this version
`

func nextStart(s *server.DirectoryState) string {
	if s.UpToDate() {
		return "It is up to date. The next start changes nothing.\n"
	}
	var adds []string
	if s.Indexes != server.IndexVersion {
		adds = append(adds, "the indexes of all orders and products")
	}
	if !s.Receipts {
		adds = append(adds, "the receipts of paid orders")
	}
	return "The next start adds " + strings.Join(adds, " and ") + ", before it takes requests.\n" +
		"It can be interrupted and goes on at the start after that. Copy the directory before, in case you want to go back.\n"
}

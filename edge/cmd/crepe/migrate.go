package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"

	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/server"
)

const migrateUsage = `crepe migrate changes the schema of a PostgreSQL database to the one of this version, moves the records of a
deployment to another database, and tells of which version a data directory is.

Usage:
  crepe migrate up --store URL
      applies the changes of the schema that are missing; it can be interrupted and run again
  crepe migrate status --store URL
      lists all changes, and which of them the database has
  crepe migrate status --data DIR
      prints the versions of a data directory, and what the next start of "crepe serve" changes; it changes nothing itself
  crepe migrate badger-to-postgres --data DIR --store URL [--verify]
      copies all records from a data directory into an empty PostgreSQL database
  crepe migrate postgres-to-badger --data DIR --store URL [--verify]
      copies all records from PostgreSQL into a data directory without a database

Stop the servers before you copy. The source is not changed. Each record is compared after it was copied, by its SHA-256. A copy that
was interrupted starts anew when the command is run again, and no server starts on it until then. The sandbox provider's own records
stay where they are. On a terminal the command shows how far it is; otherwise it prints that every ten seconds.

Examples:
  createdb --template template0 --encoding UTF8 --locale C crepe
  crepe migrate up --store postgres://crepe@db.example.com/crepe
      The password is not part of the URL, because lists of processes show it: CREPE_STORE_PASSWORD has it, or the file of
      --store-password-file, or PGPASSWORD or the file of PGPASSFILE, or CREPE_STORE has the whole URL.
  crepe migrate badger-to-postgres --data /var/lib/crepe --store postgres://crepe@db.example.com/crepe
      After "up". Then start "crepe serve" with --store, and never again without it: orders would be missing.
  crepe migrate status --data /var/lib/crepe
      Before a new version is started. A data directory needs no other command: the start brings it up to date.

Servers of the version before go on to work after "up": apply it first, then start the new version.

Settings:
`

// migrateCommands are the commands of crepe migrate.
var migrateCommands = map[string]func(ctx context.Context, s migrateSettings, stdout, stderr io.Writer, log *slog.Logger) error{
	"up":                 migrateUp,
	"status":             migrateStatus,
	"badger-to-postgres": migrateRecords,
	"postgres-to-badger": migrateRecords,
}

type migrateSettings struct {
	command, data, store string
	verify               bool
	key                  []byte // of an encrypted directory
}

// migrate applies or lists the changes of the schema, or copies the records.
func migrate(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error {
	f := newFlags("migrate", migrateUsage)
	var s migrateSettings
	store := storeFlag(f)
	f.Lookup("store").Usage = "`URL` of the PostgreSQL database, without its password; every command needs it but \"status --data\" (CREPE_STORE)"
	f.StringVar(&s.data, "data", "", "data `directory` of the stopped server, to copy from or to, or whose versions are printed (CREPE_DATA)")
	encryptionKey(f, &s.key)
	f.BoolVar(&s.verify, "verify", false, "copy nothing; only compare the directory with the database")
	config := configFlag(f)
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		s.command, args = args[0], args[1:]
	}
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if err := loadSome(f, config, "data", "store", "store-password-file", "encryption-key-file"); err != nil {
		return err
	}
	if err := store.check(); err != nil {
		return err
	}
	s.store = store.url
	do, ok := migrateCommands[s.command]
	schema, status := s.command == "up" || s.command == "status", s.command == "status"
	switch {
	case !ok:
		return misuse(f, "expected one of its commands: %s", names(migrateCommands))
	case status && s.store == "" && s.data == "":
		return misuse(f, "--store URL or --data DIR is needed")
	case s.store == "" && !status:
		return misuse(f, "--store URL is needed")
	case s.data == "" && !schema:
		return misuse(f, "--data DIR is needed")
	}
	return do(ctx, s, stdout, stderr, log)
}

// migrateRecords copies or compares the records, and prints a table.
func migrateRecords(ctx context.Context, s migrateSettings, stdout, stderr io.Writer, log *slog.Logger) error {
	p := newTransferProgress(stderr)
	t := server.Transfer{Data: s.data, Store: s.store, ToPostgres: s.command == "badger-to-postgres", CompareOnly: s.verify, Progress: p.show, Log: log, EncryptionKey: s.key}
	result, err := t.Run(ctx)
	p.end()
	if result != nil {
		err = errors.Join(err, result.Print(stdout))
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted; run it again: %w", err)
	case err != nil:
		return err
	case !result.Same():
		return fmt.Errorf("%d records differ", len(result.Differences))
	case s.verify:
		fmt.Fprintln(stdout, "Both hold the same records.")
	case t.ToPostgres:
		fmt.Fprintf(stdout, "Copied and compared. Start the servers with --store now, not on %s alone: it is as it was.\n", s.data)
	default:
		fmt.Fprintf(stdout, "Copied and compared. Start one server with --data %s and without --store now: PostgreSQL is as it was.\n", s.data)
	}
	return nil
}

func migrateUp(ctx context.Context, s migrateSettings, stdout, _ io.Writer, _ *slog.Logger) error {
	applied, err := pgstore.Migrate(ctx, s.store)
	for _, m := range applied {
		fmt.Fprintln(stdout, "applied", m.Name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Fprintln(stdout, "The schema is up to date.")
	}
	return err
}

func migrateStatus(ctx context.Context, s migrateSettings, stdout, _ io.Writer, log *slog.Logger) error {
	var errs []error
	if s.data != "" {
		errs = append(errs, directoryStatus(s.data, s.key, stdout, log))
	}
	if s.store != "" {
		errs = append(errs, schemaStatus(ctx, s.store, stdout))
	}
	return errors.Join(errs...)
}

// schemaStatus prints the changes of the schema.
func schemaStatus(ctx context.Context, store string, stdout io.Writer) error {
	all, err := pgstore.Migrations(ctx, store)
	for _, m := range all {
		state := "missing"
		if m.Applied {
			state = "applied"
		}
		fmt.Fprintf(stdout, "%-8s %s\n", state, m.Name)
	}
	return err
}

// storeSetting is the database that several servers share.
type storeSetting struct {
	url      string // "" for the database of the data directory
	password string // "" where the URL, a variable or a file of PostgreSQL has it
}

// storeFlag declares the flags of the database.
func storeFlag(f *flag.FlagSet) *storeSetting {
	var s storeSetting
	f.StringVar(&s.url, "store", "", "`URL` of a PostgreSQL database that several servers share, without its password; default: a database in the data directory (CREPE_STORE)")
	secret(f, &s.password, "store-password", verbatim, "the password of --store")
	return &s
}

// pgPassword is the variable from which the PostgreSQL driver takes a password.
const pgPassword = "PGPASSWORD"

// check refuses a URL of another scheme, and one that has a password unless CREPE_STORE has it. It gives the password to the driver.
func (s *storeSetting) check() error {
	if s.url == "" {
		return nil
	}
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New("--store: expected a URL such as postgres://crepe@db.example.com/crepe")
	}
	_, has := u.User.Password()
	switch {
	case has && s.url != os.Getenv(variable("store")):
		return errors.New("--store: lists of processes show the password; put it into CREPE_STORE_PASSWORD or the file of --store-password-file, or the URL into CREPE_STORE")
	case s.password == "":
		return nil
	case has:
		return errors.New("CREPE_STORE and CREPE_STORE_PASSWORD both have a password: remove one")
	case os.Getenv(pgPassword) != "" && os.Getenv(pgPassword) != s.password:
		return errors.New("PGPASSWORD and CREPE_STORE_PASSWORD are both set: remove one")
	}
	return os.Setenv(pgPassword, s.password) // and so no URL has it that an error could show
}

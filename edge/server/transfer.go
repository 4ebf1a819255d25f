package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/transfer"
)

// Transfer copies the records of stopped servers from a data directory to PostgreSQL or back, or compares the two. The source is not
// changed.
type Transfer struct {
	Data, Store string // the directory, and the URL of PostgreSQL
	ToPostgres  bool   // else to the directory
	CompareOnly bool
	Progress    func(step string, entries, total int) // is called often; total is about how many entries there are
	Log         *slog.Logger

	EncryptionKey []byte // of the directory, see [Config.EncryptionKey]
}

// unfinishedDatabase is the directory of a copy that is not complete. It is renamed when it is.
const unfinishedDatabase = ownDatabase + ".unfinished"

// Run copies, unless CompareOnly is set, and compares. A target that holds records which no interrupted copy has left is refused. If
// Run is interrupted, or finds a difference after copying, no server starts on the target, and another Run begins again.
func (t *Transfer) Run(ctx context.Context) (*transfer.Result, error) {
	shared, err := t.openPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer shared.Close()
	if t.CompareOnly {
		return t.compare(ctx, shared)
	}
	if t.ToPostgres {
		return t.toPostgres(ctx, shared)
	}
	return t.toBadger(ctx, shared)
}

// openPostgres opens a database that no server uses.
func (t *Transfer) openPostgres(ctx context.Context) (*pgstore.DB, error) {
	db, err := pgstore.Open(ctx, t.Store, pgstore.Options{Log: t.Log})
	if err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	err = db.Idle(ctx)
	if err == nil && (t.CompareOnly || !t.ToPostgres) {
		err = db.Finished(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("--store: %w", err), db.Close())
	}
	return db, nil
}

// openBadger opens a database of the data directory that no server uses.
func (t *Transfer) openBadger() (*badgerstore.DB, error) {
	if !durable.Exists(filepath.Join(t.Data, ownDatabase)) {
		return nil, fmt.Errorf("%s has no database: %w", t.Data, os.ErrNotExist)
	}
	return openStore(t.Data, badgerstore.Options{Log: t.Log, EncryptionKey: t.EncryptionKey})
}

// DirectoryState is what a data directory holds.
type DirectoryState struct {
	Dir    string // of the database
	Format int    // of Badger's files
	badgerstore.State
}

// IndexVersion is the version of the indexes of a directory that a start has brought up to date.
const IndexVersion = badgerstore.IndexVersion

// Inspect returns the state of a data directory; the errors are [os.ErrNotExist] if it has no database and [durable.ErrInUse] beside a state
// with the format if a server has it open. It brings nothing up to date.
func Inspect(data string, key []byte, log *slog.Logger) (*DirectoryState, error) {
	s := &DirectoryState{Dir: filepath.Join(data, ownDatabase)}
	format, err := durable.FormatOf(s.Dir)
	if err != nil {
		return nil, err
	}
	if s.Format = format; format != durable.Format {
		return s, nil // nothing else can be read
	}
	s.State, err = openDatabase(data, ownDatabase, func(dir string) (badgerstore.State, error) {
		return badgerstore.Inspect(dir, badgerstore.Options{Log: log, EncryptionKey: key})
	})
	return s, err
}

func (t *Transfer) compare(ctx context.Context, shared *pgstore.DB) (*transfer.Result, error) {
	db, err := t.openBadger()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	from, to := record.Portable(db), record.Portable(shared)
	if !t.ToPostgres {
		from, to = to, from
	}
	total, err := from.Entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	source, err := transfer.Take(ctx, from, t.step("read in the source", total))
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	return transfer.Verify(ctx, from, to, source, t.step("compared", total))
}

// step is the progress of a step.
func (t *Transfer) step(name string, total int) func(int) {
	return func(entries int) { t.Progress(name, entries, total) }
}

// copy copies and compares.
func (t *Transfer) copy(ctx context.Context, from, to record.Portable) (*transfer.Result, error) {
	total, err := from.Entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	source, err := transfer.Copy(ctx, from, to, t.step("copied", total))
	if err != nil {
		return nil, fmt.Errorf("copying: %w", err)
	}
	return transfer.Verify(ctx, from, to, source, t.step("compared", total))
}

func (t *Transfer) toPostgres(ctx context.Context, shared *pgstore.DB) (*transfer.Result, error) {
	db, err := t.openBadger()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	use, err := db.Claim(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := shared.BeginCopy(ctx); err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	result, err := t.copy(ctx, db, shared)
	if err != nil || !result.Same() {
		return result, err
	}
	return result, shared.EndCopy(ctx, use)
}

func (t *Transfer) toBadger(ctx context.Context, shared *pgstore.DB) (*transfer.Result, error) {
	final, unfinished := filepath.Join(t.Data, ownDatabase), filepath.Join(t.Data, unfinishedDatabase)
	if _, err := os.Stat(final); !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(err, fmt.Errorf("%s holds a database already; choose another directory with --data", t.Data))
	}
	use, err := shared.Claim(ctx, "")
	if err != nil {
		return nil, err
	}
	db, err := t.create(unfinished)
	if err != nil {
		return nil, err
	}
	result, err := t.copy(ctx, shared, db)
	if err == nil && use != "" {
		_, err = db.Claim(ctx, use)
	}
	if err = errors.Join(err, db.Close()); err != nil || !result.Same() {
		return result, err
	}
	return result, os.Rename(unfinished, final)
}

// create creates an empty database in place of one that an interrupted copy has left.
func (t *Transfer) create(dir string) (*badgerstore.DB, error) {
	if err := os.MkdirAll(t.Data, 0o700); err != nil {
		return nil, err
	}
	left, err := badgerstore.Open(dir, badgerstore.Options{Log: t.Log, EncryptionKey: t.EncryptionKey})
	if errors.Is(err, durable.ErrInUse) {
		return nil, fmt.Errorf("is another copy running? %w", err)
	}
	if err == nil {
		err = left.Close()
	}
	if err != nil {
		t.Log.Warn("removing what an interrupted copy has left", "dir", dir, "error", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	return badgerstore.Open(dir, badgerstore.Options{Log: t.Log, EncryptionKey: t.EncryptionKey})
}

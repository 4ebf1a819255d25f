package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

var (
	// ErrSchemaOld: the database lacks migrations of this version of the program.
	ErrSchemaOld = errors.New("the database's schema is older than this crepe; run crepe migrate up")
	// ErrSchemaNew: a newer version of the program has changed the schema in a way that this version does not support.
	ErrSchemaNew = errors.New("the database's schema is newer than this crepe; start the newer version")
	// ErrCollation: the database does not sort texts by their bytes.
	ErrCollation = errors.New("the database sorts texts by a language's rules, and crepe's ids sort by their bytes; " +
		"create it with: CREATE DATABASE crepe TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
	// ErrReadOnly: the database takes no writes.
	ErrReadOnly = errors.New("the database takes no writes: it is a standby, or default_transaction_read_only is on; name the primary, " +
		"or all servers of the cluster, as in postgres://user@first,second/database")
)

// Migration is one change of the schema.
type Migration struct {
	Version int64
	Name    string // of the file
	Applied bool
}

// Migrations returns the changes of the schema, and which of them a database has.
func Migrations(ctx context.Context, url string) (all []Migration, err error) {
	err = withProvider(ctx, url, func(p *goose.Provider) error {
		states, err := p.Status(ctx)
		for _, s := range states {
			all = append(all, Migration{s.Source.Version, s.Source.Path, s.State == goose.StateApplied})
		}
		return err
	})
	return all, err
}

// Migrate applies the changes of the schema that a database lacks, and returns them. It may be interrupted and called again. Only
// one process may call it at a time.
func Migrate(ctx context.Context, url string) (applied []Migration, err error) {
	err = withProvider(ctx, url, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		for _, r := range results {
			applied = append(applied, Migration{r.Source.Version, r.Source.Path, r.Error == nil})
		}
		return err
	})
	return applied, err
}

func withProvider(ctx context.Context, url string, do func(*goose.Provider) error) error {
	config, err := poolConfig(url)
	if err != nil {
		return err
	}
	onlyPrimary(ctx, config, slog.New(slog.DiscardHandler))
	db := stdlib.OpenDB(*config.ConnConfig)
	defer db.Close()
	var traits traits
	if err := db.QueryRowContext(ctx, traitsQuery).Scan(&traits.Bytewise, &traits.ReadOnly); err != nil {
		return unusable(err)
	}
	if err := traits.check(); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return fmt.Errorf("the migrations cannot be read: %w", err)
	}
	return do(provider)
}

// traits are those of a database that decide whether it can be used.
type traits struct {
	Bytewise bool
	ReadOnly string // "on" or "off"
}

const traitsQuery = "SELECT 'B' < 'a', current_setting('transaction_read_only')"

func (t traits) check() error {
	switch {
	case !t.Bytewise:
		return ErrCollation
	case t.ReadOnly == "on":
		return ErrReadOnly
	}
	return nil
}

const (
	// newest is the version of the last migration of this program.
	newest = 5
	// schemaNeeds is the setting with the least version that a program must know to use the schema. A migration that contracts
	// stores it; without it every older program can.
	schemaNeeds = "schema-needs"
)

// check returns an error if this program cannot use the database.
func (db *DB) check(ctx context.Context) error {
	found, err := query(ctx, db, pgx.RowToStructByPos[traits], traitsQuery, nil)
	if err != nil {
		return unusable(err)
	}
	if err := found[0].check(); err != nil {
		return err
	}
	versions, err := query(ctx, db, pgx.RowTo[int64], "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied", nil)
	switch {
	case undefinedTable(err):
		return ErrSchemaOld
	case err != nil:
		return unusable(err)
	case versions[0] < newest:
		return ErrSchemaOld
	case versions[0] > newest:
		return db.checkNewer(ctx, versions[0])
	}
	return nil
}

// checkNewer returns [ErrSchemaNew] if a migration of a newer version says that this program must not use its schema.
func (db *DB) checkNewer(ctx context.Context, version int64) error {
	value, err := db.setting(ctx, schemaNeeds)
	if err != nil {
		return unusable(err)
	}
	needs := int64(0)
	if value != nil {
		if needs, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			return fmt.Errorf("the setting %s: %w", schemaNeeds, err)
		}
	}
	if needs > newest {
		return ErrSchemaNew
	}
	db.log.Info("the database's schema is newer than this crepe, and supports it", "schema", version, "own", newest)
	return nil
}

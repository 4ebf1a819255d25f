package pgstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/pgstore"
)

// canary is a password that no error and no log may show.
const canary = "canary-of-the-password"

// TestOpenErrors: what cannot be used is refused with what to do, and without the password.
func TestOpenErrors(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	server.Exec(t, "CREATE DATABASE linguistic TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'")
	server.Exec(t, "CREATE SCHEMA unmigrated")
	server.Exec(t, "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
	t.Cleanup(func() {
		server.Exec(t, "DROP DATABASE linguistic")
		server.Exec(t, "DROP SCHEMA unmigrated CASCADE")
		server.Exec(t, "DROP ROLE crowded")
	})
	at := func(host, database string) string {
		return fmt.Sprintf("postgres://crepe:%s@%s/%s", canary, host, database)
	}
	here := fmt.Sprintf("127.0.0.1:%d", server.Port)
	for _, c := range []struct{ name, url, want string }{
		{"no URL", "postgres://crepe:" + canary + "@host:port/x", "cannot be read"},
		{"unreachable", at("127.0.0.1:1", "postgres"), "check the host and port"},
		{"unknown host", at("nowhere.invalid", "postgres"), "check the host and port"},
		{"unknown user", strings.Replace(at(here, "postgres"), "crepe:", "nobody:", 1), "check the user"},
		{"no free connection", strings.Replace(at(here, "postgres"), "crepe:", "crowded:", 1), "max_connections"},
		{"missing database", at(here, "missing"), "CREATE DATABASE"},
		{"a language's order", at(here, "linguistic"), "CREATE DATABASE"},
		{"no schema", at(here, "postgres?search_path=unmigrated"), "crepe migrate up"},
		{"read-only", url + "&default_transaction_read_only=on", "name the primary"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			db, err := pgstore.Open(background, c.url, pgstore.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			if err == nil {
				db.Close()
				t.Fatal("it is opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
			if strings.Contains(err.Error()+log.String(), canary) {
				t.Errorf("it shows the password: %v %s", err, &log)
			}
			if c.name == "no schema" {
				return
			}
			if _, err := pgstore.Migrate(background, c.url); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("migrating: %v", err)
			}
		})
	}
}

// TestSchemaVersions: a program runs on a newer schema unless that says otherwise, and on no older one.
func TestSchemaVersions(t *testing.T) {
	url := server.Schema(t, "versions", migrate)
	apply := poolOf(t, url)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := apply.Exec(background, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	opens := func(want error) {
		t.Helper()
		db, err := pgstore.Open(background, url, pgstore.Options{})
		if err == nil {
			err = db.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	opens(nil)
	next := pgstore.Newest + 1
	exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)", next)
	opens(nil)
	exec("INSERT INTO settings (name, value) VALUES ('schema-needs', $1)", fmt.Append(nil, pgstore.Newest))
	opens(nil)
	exec("UPDATE settings SET value = $1 WHERE name = 'schema-needs'", fmt.Append(nil, next))
	opens(pgstore.ErrSchemaNew)
	exec("DELETE FROM goose_db_version WHERE version_id >= $1", pgstore.Newest)
	opens(pgstore.ErrSchemaOld)
	exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)", pgstore.Newest)
}

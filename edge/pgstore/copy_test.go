package pgstore

import (
	"io/fs"
	"regexp"
	"slices"
	"testing"
)

// TestEveryTable: each table of the migrations is exported or derived, and none is both.
func TestEveryTable(t *testing.T) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		sql, err := migrations.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllSubmatch(sql, -1) {
			found++
			table := string(match[1])
			exported := slices.ContainsFunc(exports, func(e export) bool { return e.table == table })
			if exported == slices.Contains(derivedTables, table) {
				t.Errorf("%s: table %s: exported and derived are both %t", file, table, exported)
			}
		}
	}
	if found != len(exports)+len(derivedTables) {
		t.Errorf("the migrations have %d tables, exports and derivedTables name %d", found, len(exports)+len(derivedTables))
	}
}

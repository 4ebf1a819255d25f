package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestErasePostgres: crepe erase --store beside a running server; a dump of all tables afterwards does not mention the buyer.
func TestErasePostgres(t *testing.T) {
	t.Parallel()
	url := startPostgres(t).Schema(t, "store", migrated)
	shop := sellOn(t, url)
	sellTo(t, shop, forgotten)
	ask := []string{"erase", "--buyer", forgotten, "--store", url, "--data", t.TempDir()}
	shoptest.Eventually(t, "order and receipt are erased", func() bool { return len(operateJSON[admin.EraseStep](t, append(ask, "--dry-run")...).Items) == 2 })
	if text := operate(t, ask...); strings.Count(text, "erased") < 2 {
		t.Errorf("done: %s", text)
	}
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer conn.Close(t.Context())
	texts := func(sql string) []string {
		rows, err := conn.Query(t.Context(), sql)
		must(t, err)
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		return all
	}
	for _, table := range texts("SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()") {
		for _, row := range texts(fmt.Sprintf("SELECT r::text FROM %s AS r", table)) {
			if strings.Contains(row, forgotten) {
				t.Errorf("%s has %s", table, row)
			}
		}
	}
}

package e2e

import "testing"

// TestRulesPostgres: a store's rules in PostgreSQL, on a running server and with the database alone.
func TestRulesPostgres(t *testing.T) {
	t.Parallel()
	store := startPostgres(t).Schema(t, "store", migrated)
	shop := sellOn(t, store)
	r := &ruled{shop, t, []string{"--data", t.TempDir(), "--store", store}} // no server's directory: the commands open the database
	r.follow()
	r.discounts()
}

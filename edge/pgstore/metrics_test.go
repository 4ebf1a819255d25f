package pgstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/metrics/metricstest"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestMetrics: what is tried again and what fails is counted, and the manual has the metrics of the pool.
func TestMetrics(t *testing.T) {
	m := metrics.New()
	db := open(t, pgstore.Options{Metrics: m})
	codes := []string{"40001", "40001", "57014"}
	db.Inject(func(step string, sql *string, args *[]any) error {
		if step == "statement" && len(codes) > 0 {
			*sql, *args = fmt.Sprintf("DO $$ BEGIN RAISE SQLSTATE '%s'; END $$", codes[0]), nil
			codes = codes[1:]
		}
		return nil
	})
	if _, err := db.Claim(t.Context(), "metrics"); !errors.Is(err, pgstore.ErrUnavailable) {
		t.Fatal(err)
	}
	var text strings.Builder
	m.Write(&text)
	found := metricstest.Parse(t, text.String())
	found.Want(t, map[string]string{
		`crepe_postgres_retries_total`:                          "2",
		`crepe_postgres_failures_total{kind="unavailable"}`:     "1",
		`crepe_postgres_failures_total{kind="outcome-unknown"}`: "0",
		`crepe_postgres_connections{state="busy"}`:              "0",
		`crepe_postgres_connections_max`:                        "16",
	})
	metricstest.Table(t, "../README.md", "metric of PostgreSQL", found.Rows(t, "crepe_"), *shoptest.Update)
}

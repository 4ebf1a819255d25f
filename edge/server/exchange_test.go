package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExchangeRatesFile: the file is read again when it has changed, and one that cannot be read leaves the rates as they were.
func TestExchangeRatesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "eurofxref.csv")
	if _, err := openExchangeRates(file, slog.Default()); err == nil || !strings.Contains(err.Error(), "--exchange-rates: ") {
		t.Errorf("no file: %v", err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write("Date,USD\n2026-11-30,1.08\n")
	var log strings.Builder
	rates, err := openExchangeRates(file, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	first := rates.Rates()
	if rates.Rates() != first || first.Base != "EUR" {
		t.Errorf("an unchanged file was read again: %+v", first)
	}
	write("GBP HMRC,USD\n2026-12-01,1.33\n")
	second := rates.Rates()
	if second.Base != "GBP" || log.Len() != 0 {
		t.Errorf("a changed file has %+v: %s", second, &log)
	}
	write("<html>")
	if rates.Rates() != second || !strings.Contains(log.String(), "mend the file") {
		t.Errorf("a damaged file: %s", &log)
	}
	write(strings.Repeat("\n", maxExchangeRates+1))
	if rates.Rates() != second || !strings.Contains(log.String(), "larger than 8 MiB") {
		t.Errorf("a large file: %s", &log)
	}
}

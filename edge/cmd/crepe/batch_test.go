package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf16"

	"github.com/goccy/go-json"
)

func batchFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rows")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestBatchHeader: a column that is unknown, doubled or missing is refused, and so is a file in another encoding.
func TestBatchHeader(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is empty",
		"number\tcountry\n":                `unknown column "number"; the columns are id, country, taxId`,
		"country\ttaxId\tcountry\n":        `the column "country" is there twice`,
		"country\tTaxID\tCOUNTRY\n":        `the column "COUNTRY" is there twice`,
		"id\tcountry\n":                    `no column "taxId"; it has id, country`,
		"c\x00o\x00u\x00n\x00t\x00r\x00y":  "neither UTF-8 nor UTF-16",
		"country\ttaxId\t\xe4\n":           "neither UTF-8 nor UTF-16",
		strings.Repeat("country\t", 20000): "is empty",
	} {
		if out, _, err := command(t, "taxid", "check", "--batch", batchFile(t, text)); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%.40q: %v, %s", text, err, out)
		}
	}
	if _, _, err := command(t, "quote", "--batch", batchFile(t, "country\tcategory\tcurrency\tamountMinor\tregion\n")); err == nil ||
		!strings.Contains(err.Error(), `unknown column "region"`) {
		t.Error(err)
	}
}

// TestBatchEncodings: byte order marks, UTF-16 and CSV are read, and mean the same.
func TestBatchEncodings(t *testing.T) {
	const rows = "id\tcountry\ttaxId\r\nÄ\tDE\tDE136695976\r\n"
	units := utf16.Encode([]rune("\ufeff" + rows))
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	want := `{"line":2,"id":"Ä","country":"DE","taxId":"DE136695976","valid":true,"normalized":"DE136695976"}` + "\n"
	for _, text := range []string{
		rows, "\ufeff" + rows, string(little), string(big), strings.ReplaceAll(rows, "\t", ","), strings.ReplaceAll(rows, "\t", ";"),
		"\ufeff\"Country\",\"taxId\",\"id\"\n\"DE\",\"DE136695976\",\"Ä\"\n", strings.TrimSuffix(rows, "\r\n"),
	} {
		if out, _, err := command(t, "taxid", "check", "--batch", batchFile(t, text)); err != nil || out != want {
			t.Errorf("%q: %v: %s", text, err, out)
		}
	}
}

// TestBatchRows: a line that cannot be read is named, and ends nothing.
func TestBatchRows(t *testing.T) {
	out, _, err := command(t, "quote", "--batch", batchFile(t, "id,country,category,currency,amountMinor,on\n"+
		"long,"+strings.Repeat("D", 2*maxLine)+"\n"+
		"extra,DE,saas,EUR,100,2026-11-23,x\n"+
		"\n"+
		"latin,\xe4,saas,EUR,100,2026-11-23\n"+
		"quote,\"D\"E,saas,EUR,100,2026-11-23\n"+
		"typed, de ,SaaS,eur,\" 2900\",2026-11-23\n"+
		"short,GB,saas,GBP,100\n"))
	if err == nil || !strings.Contains(err.Error(), "4 of 6 rows failed") {
		t.Error(err)
	}
	var got strings.Builder
	for line := range strings.Lines(out) {
		var a struct {
			Line       int
			ID         string
			TotalMinor int64
			Problems   []struct{ Code string }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&got, a.Line, a.ID, a.TotalMinor, a.Problems)
	}
	const want = "2  0 [{row-too-long}]\n3 extra 0 [{row-cells}]\n5  0 [{row-encoding}]\n6  0 [{row-invalid}]\n7 typed 3451 []\n8 short 120 []\n"
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}

// writes counts the writes to it.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(b []byte) (int, error) {
	w.n++
	return w.Buffer.Write(b)
}

// TestBatchIsBuffered: a write holds many answers.
func TestBatchIsBuffered(t *testing.T) {
	const rows = 20_000
	file := batchFile(t, "country\ttaxId\n"+strings.Repeat("DE\tDE136695976\n", rows))
	var out writes
	if err := run(t.Context(), []string{"taxid", "check", "--batch", file}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != rows || out.n > rows/20 {
		t.Errorf("%d answers in %d writes", n, out.n)
	}
}

// TestBatchFlush: the answers are written before the batch waits for more rows, and when it is interrupted.
func TestBatchFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		in, rows := io.Pipe()
		defer rows.Close()
		var out writes
		b := batch{name: "-", columns: []string{"a"}, required: []string{"a"}, stdout: &out}
		done := make(chan error)
		go func() {
			done <- b.read(ctx, in, func(row *batchRow) (any, bool) { return row.cells["a"], true })
		}()
		fmt.Fprint(rows, "a\n1\n2\n")
		synctest.Wait()
		if out.String() != "\"1\"\n\"2\"\n" {
			t.Errorf("while it waits: %q", out.String())
		}
		fmt.Fprint(rows, "3\n")
		interrupt()
		if err := <-done; err == nil || !strings.Contains(err.Error(), "-: interrupted after") {
			t.Error(err)
		}
		if n := strings.Count(out.String(), "\n"); n < 2 {
			t.Errorf("%d answers are written", n)
		}
	})
}

// TestProgress: the number of rows is shown at most five times a second, and at the end.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown writes
		p := progress{w: &shown}
		for range 1000 {
			p.row()
		}
		p.end()
		if shown.String() != "\r1 rows\r1000 rows\n" {
			t.Errorf("%q", shown.String())
		}
	})
	if progressOn(io.Discard, io.Discard) != nil {
		t.Error("progress is shown without a terminal")
	}
}

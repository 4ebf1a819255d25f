package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const faultsPreamble = `# What breaks, and what held

Written by ` + "`make torture`" + ` from the rows that its tests write to testdata/faults; edit neither. A column counts the runs or
crashes in which an invariant held. A violation fails the run.

- **order kept**: every checkout at the provider belongs to one of our attempts, and every payment makes its order paid.
- **one payable checkout**: a session never has two checkouts that a buyer knows and can pay; a new idempotency key is used only
  after the checkout of the old one has ended.
- **price frozen**: price and tax in the provider's request are those of the order; the bytes under one key never differ.
- **URL durable**: every URL that a buyer received is stored, also after a crash directly afterwards; the same request gets the
  same URL, and never that of a checkout that has ended.
- **webhook order irrelevant**: a paid order stays paid; replayed, shuffled, duplicated and renamed events change nothing.
- **recovered unaided**: without another request of the buyer every unknown outcome is resolved; a buyer who returns is served.
- **answers documented**: a URL, the session's refusal, 503 or 500, within nine seconds.
- **refunded once**: a refund is made at most once at the provider, under one key, and never more than was paid; a refund that counts
  as made is there; every refund ends as it is there, split into net and tax as its order is.
- **merchant told**: the outbox tells of every completed order and of every end of a refund once, and of nothing else.
- **nothing secret told**: no key, secret or buyer's data is in a log, an idempotency key or a stored failure.
`

// TestFaultTable compares FAULTS.md with the rows that the tests of make torture have written. A test adds a table by writing
// edge/testdata/faults/<name>.tsv: a line with its title, one that describes the test, one with the names of the columns, and one
// for each row, with tabs between the cells.
func TestFaultTable(t *testing.T) {
	files, err := filepath.Glob("../testdata/faults/*.tsv")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rows: %v; make torture writes them", err)
	}
	var page strings.Builder
	page.WriteString(faultsPreamble)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		renderFaults(t, &page, name, string(text))
	}
	if *shoptest.Update {
		if err := os.WriteFile("../FAULTS.md", []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile("../FAULTS.md")
	if err != nil || string(kept) != page.String() {
		t.Errorf("FAULTS.md is not what testdata/faults says (%v): go test ./edge/e2e -run TestFaultTable -update", err)
	}
	for _, kind := range fault.All() {
		if !strings.Contains(page.String(), "\n| "+string(kind)+" | ") {
			t.Errorf("the fault %s has no row: make torture", kind)
		}
	}
}

func renderFaults(t *testing.T, page *strings.Builder, name, text string) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 4 {
		t.Fatalf("%s has no rows", name)
	}
	page.WriteString("\n## " + lines[0] + "\n\n" + wrap(lines[1], 120) + "\n\n")
	columns := strings.Count(lines[2], "\t") + 1
	for i, line := range lines[2:] {
		if strings.Count(line, "\t")+1 != columns {
			t.Errorf("%s: the row %q has not %d cells", name, line, columns)
		}
		page.WriteString("| " + strings.ReplaceAll(line, "\t", " | ") + " |\n")
		if i == 0 {
			page.WriteString("|---|" + strings.Repeat("--:|", columns-1) + "\n")
		}
	}
}

// keepFaultRows writes a table for TestFaultTable.
func keepFaultRows(t *testing.T, name, title, about string, lines ...string) {
	t.Helper()
	if !*shoptest.Update || t.Failed() {
		return
	}
	text := strings.Join(append([]string{title, about}, lines...), "\n") + "\n"
	if err := os.WriteFile(filepath.Join("..", "testdata", "faults", name+".tsv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wrap breaks a text into lines of at most so many bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case used+1+len(word) > width:
			b.WriteString("\n")
			used = 0
		default:
			b.WriteString(" ")
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}

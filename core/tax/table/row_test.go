package table

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
)

// packed returns all built-in rows.
func packed() (all []Row) {
	for i := 0; i < len(rows); i += rowWidth {
		all = append(all, Row(rows[i:i+rowWidth]))
	}
	return all
}

func (r Row) id() string { return string(r.appendID(nil)) }

func (r Row) String() string {
	return fmt.Sprintf("%s: categories %07b, buyers %03b, %s to %s", r.id(), r[7], r[8]&7, r.from(), r.to())
}

// TestPartition checks that every query about a jurisdiction's tax has exactly one answer. Between two days on which a row
// begins or ends nothing changes, so these days represent all.
func TestPartition(t *testing.T) {
	byTax := map[string][]Row{}
	for _, r := range packed() {
		key := r.Jurisdiction() + " " + taxes[r.tax()].code
		byTax[key] = append(byTax[key], r)
	}
	for key, rows := range byTax {
		days := []civil.Date{FirstDay}
		for _, r := range rows {
			days = append(days, r.from(), r.to())
		}
		for _, day := range days {
			for category := DigitalGoods; category <= ProfessionalService; category++ {
				for _, kind := range []Buyers{Consumer, Business, Registered} {
					checkOneAnswer(t, key, rows, Query{Category: category, Buyer: kind, On: max(day, FirstDay)})
				}
			}
		}
	}
}

func checkOneAnswer(t *testing.T, key string, rows []Row, q Query) {
	t.Helper()
	answers := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.answers(&q) })
	if len(answers) != 1 {
		t.Errorf("%s: %d rows about %s for buyer %03b on %s: %v", key, len(answers), q.Category, q.Buyer, q.On, answers)
	}
}

// TestRowsAreWellFormed checks the other properties on which tax.Assess relies.
func TestRowsAreWellFormed(t *testing.T) {
	taxesOf := map[string]map[int]bool{}
	for _, r := range packed() {
		if r.from() >= r.to() {
			t.Errorf("%s ends before it begins", r)
		}
		if taxesOf[r.Jurisdiction()] == nil {
			taxesOf[r.Jurisdiction()] = map[int]bool{}
		}
		if r.tax() != Supply {
			taxesOf[r.Jurisdiction()][r.tax()] = true
		}
	}
	const usualTaxes = 2 // for which tax.Assess allocates
	for jurisdiction, taxes := range taxesOf {
		if len(taxes) > usualTaxes {
			t.Errorf("%s has %d taxes, want at most %d", jurisdiction, len(taxes), usualTaxes)
		}
	}
	order := func(r Row) string { return fmt.Sprintf("%s %02d %03d", string(r[:5]), r.tax(), r[6]) }
	if !slices.IsSortedFunc(packed(), func(a, b Row) int { return cmp.Compare(order(a), order(b)) }) {
		t.Error("the rows are not in order of jurisdiction, tax and ordinal")
	}
}

// ours are the jurisdictions of the table that are not in core/country: codes that ISO 3166-1 reserves or leaves to its
// users, and subdivisions of ISO 3166-2 that no address form asks for.
var ours = map[string]string{
	"EU":    "reserved in ISO 3166-1 for the European Union",
	"IC":    "reserved in ISO 3166-1 for the Canary Islands",
	"EA":    "reserved in ISO 3166-1 for Ceuta and Melilla",
	"XC":    "user-assigned: Campione d'Italia",
	"XE":    "user-assigned: parts of countries outside their territory of VAT",
	"FR-GP": "ISO 3166-2 until 2020: Guadeloupe",
	"FR-MQ": "ISO 3166-2 until 2020: Martinique",
	"FR-RE": "ISO 3166-2 until 2020: Réunion",
	"AT-XJ": "user-assigned: Jungholz and Mittelberg",
	"PT-20": "ISO 3166-2: Azores",
	"PT-30": "ISO 3166-2: Madeira",
}

func TestJurisdictionsAreISO(t *testing.T) {
	unused := map[string]bool{}
	for jurisdiction := range ours {
		unused[jurisdiction] = true
	}
	for _, r := range packed() {
		whole, part, _ := strings.Cut(r.Jurisdiction(), "-")
		delete(unused, r.Jurisdiction())
		code, ok := country.Parse(whole)
		if ok && part != "" {
			_, ok = code.ParseSubdivision(part)
		}
		if !ok && ours[r.Jurisdiction()] == "" {
			t.Errorf("%s is not a jurisdiction", r.Jurisdiction())
		}
	}
	for jurisdiction := range unused {
		t.Errorf("no row has the jurisdiction %s", jurisdiction)
	}
}

// unknownStates are the parts of the United States without rows: territories with other taxes or none, and the addresses of
// the armed forces, which do not determine a state.
const unknownStates = "AA AE AP AS GU MP UM VI"

func TestCoverage(t *testing.T) {
	known := map[string]bool{}
	for _, r := range packed() {
		known[r.Jurisdiction()] = true
	}
	for code := range country.All() {
		if code.InEU() && !known[string(code)] {
			t.Errorf("no row has the jurisdiction %s", code)
		}
		for state := range code.Subdivisions() {
			jurisdiction := string(code) + "-" + string(state)
			if known[jurisdiction] == (code == "US" && strings.Contains(unknownStates, string(state))) {
				t.Errorf("rows about %s: %t", jurisdiction, known[jurisdiction])
			}
		}
	}
}

// TestExceptionsHaveRows checks that an address that is moved to another territory finds rows there, and no further
// exception.
func TestExceptionsHaveRows(t *testing.T) {
	for i := 0; i < len(exceptions); i += exceptionWidth {
		e := exceptions[i : i+exceptionWidth]
		if _, ok := country.Parse(e[:2]); !ok {
			t.Errorf("%q has no country", e)
		}
		postcode := strings.TrimRight(e[2:7], " ")
		p := TerritoryOf(country.Code(e[:2]), "", postcode)
		if want := strings.TrimRight(e[7:], " "); !p.Is(want) {
			t.Errorf("%q leads to %v", e, p)
		}
		if first := firstRow(p); first == len(rows) || p.compare(Row(rows[first:][:rowWidth])) != 0 {
			t.Errorf("%q leads to %v, which has no rows", e, p)
		}
	}
}

// TestPostcodeDecidesTax compares the country package's list with the exceptions.
func TestPostcodeDecidesTax(t *testing.T) {
	for c := range country.All() {
		want := false
		for i := 0; i < len(exceptions); i += exceptionWidth {
			e := exceptions[i : i+exceptionWidth]
			want = want || e[:2] == string(c) && e[2] != ' '
		}
		if c.PostcodeDecidesTax() != want {
			t.Errorf("%s has exceptions by postcode: %t; country.Code.PostcodeDecidesTax says %t", c, want, !want)
		}
	}
}

// TestRowsMatchFiles unpacks the built-in rows and compares them with the files, cell by cell.
func TestRowsMatchFiles(t *testing.T) {
	byID := map[string]Row{}
	for _, r := range packed() {
		byID[r.id()] = r
	}
	rows := 0
	for _, file := range tables(t) {
		for _, cells := range readTable(t, file) {
			switch filepath.Base(file) {
			case "exceptions.tsv":
				continue
			case "retired.tsv":
				if _, ok := byID[cells["id"]]; ok {
					t.Errorf("%s is retired, and in the table", cells["id"])
				}
				continue
			}
			rows++
			r, ok := byID[cells["id"]]
			if !ok {
				t.Errorf("%s is not in the table", cells["id"])
				continue
			}
			if got, want := r[7], maskOf(cells["categories"]); got != want {
				t.Errorf("%s: the categories are %07b in the file and %07b in the table", cells["id"], want, got)
			}
			for column, got := range unpack(r) {
				if got != cells[column] {
					t.Errorf("%s: %s is %q in the file and %q in the table", cells["id"], column, cells[column], got)
				}
			}
		}
	}
	if rows != len(byID) || rows != len(packed()) {
		t.Errorf("%d rows in the files, %d in the table", rows, len(packed()))
	}
}

// maskOf reads a cell of categories independently of the parser: named ones are in, or out if a "*" comes first.
func maskOf(cell string) (mask byte) {
	for i, name := range categoryNames {
		named := slices.Contains(strings.FieldsFunc(cell, func(c rune) bool { return c == ',' || c == '-' }), name)
		if named != strings.HasPrefix(cell, "*") {
			mask |= 1 << i
		}
	}
	return mask
}

func unpack(r Row) map[string]string {
	open := func(d, open civil.Date) string {
		if d == open {
			return "-"
		}
		return d.String()
	}
	return map[string]string{
		"jurisdiction": r.Jurisdiction(),
		"tax":          taxes[r.tax()].code,
		"buyer":        map[Buyers]string{7: "any", 1: "consumer", 6: "business", 3: "unregistered", 4: "registered"}[Buyers(r[8]&7)],
		"treatment":    r.Treatment().String(),
		"rate":         cmp.Or(r.Rate().Percent(), "0"),
		"base":         fmt.Sprint(r.Base()),
		"from":         open(r.from(), dayZero),
		"to":           open(r.to(), dayZero+0xffff),
		"confidence":   string(r.Confidence()),
	}
}

// TestEveryRowHasASource checks the columns source, source_date, confidence and note.
func TestEveryRowHasASource(t *testing.T) {
	asOf := DataVersion[:len("2026-11-23")]
	for _, file := range tables(t) {
		for i, cells := range readTable(t, file) {
			at := fmt.Sprintf("%s:%d", file, i+2)
			if !strings.HasPrefix(cells["source"], "https://") || strings.Contains(cells["source"], " ") {
				t.Errorf("%s: %q is not a source", at, cells["source"])
			}
			if d, ok := civil.ParseDate(cells["source_date"]); !ok || d.String() > asOf {
				t.Errorf("%s: %q is not a day up to %s", at, cells["source_date"], asOf)
			}
			if len(cells["confidence"]) != 1 || !strings.Contains(confidences, cells["confidence"]) {
				t.Errorf("%s: %q is not a confidence", at, cells["confidence"])
			}
			if note := cells["note"]; strings.TrimSpace(note) == "" || strings.TrimSpace(note) != note {
				t.Errorf("%s: invalid note %q", at, note)
			}
		}
	}
}

func tables(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../data/*.tsv")
	if err != nil || len(files) == 0 {
		t.Fatal("no data", err)
	}
	return files
}

func readTable(t *testing.T, file string) (rows []map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	columns := strings.Split(lines[0], "\t")
	for _, line := range lines[1:] {
		cells := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			cells[columns[i]] = cell
		}
		rows = append(rows, cells)
	}
	return rows
}

func TestGenerated(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "rows_gen.go")
	if out, err := exec.Command("go", "run", "gen.go", "-o", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("rows_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("rows_gen.go is not what gen.go writes: go generate ./core/tax/table")
	}
}

package table

import (
	"strings"
	"testing"
)

// TestReach: a row that no sale can match is refused.
func TestReach(t *testing.T) {
	const header = "id jurisdiction tax postcode buyer from to rate\n"
	for row, want := range map[string]string{
		"a US-NY sales 100 any - - 8.875":               "",
		"a US-NY sales 10012-1234 any - - 8.875":        "",
		"a US-NY sales NYC any - - 8.875":               "no postcode that begins with NYC is in US-NY",
		"a US-NY sales 1001212345 any - - 8.875":        "no postcode that begins with 1001212345",
		"a CA-BC pst V6 any - - 7":                      "",
		"a CA-BC pst 6V any - - 7":                      "no postcode that begins with 6V",
		"a GB vat SW1A any - - 20":                      "",
		"a GB vat EC1 any - - 20":                       "",
		"a GB vat M any - - 20":                         "",
		"a GB vat 123 any - - 20":                       "no postcode that begins with 123",
		"a NL vat 1012AB any - - 21":                    "",
		"a NL vat AB any - - 21":                        "no postcode that begins with AB",
		"a IE vat D02 any - - 23":                       "",
		"a JP jct 100 any - - 10":                       "",
		"a BR vat 01310 any - - 17":                     "",
		"a DE vat 10 any - - 19":                        "",
		"a DE vat 101155 any - - 19":                    "no postcode that begins with 101155",
		"a ES vat 28 any - - 21":                        "",
		"a ES vat 3 any - - 21":                         "",
		"a ES vat 35 any - - 21":                        "no postcode that begins with 35 is in ES",
		"a PT vat 9000 any - - 23":                      "no postcode that begins with 9000 is in PT",
		"a PT-30 vat 9000 any - - 22":                   "",
		"a PT-30 vat 9 any - - 22":                      "",
		"a PT-30 vat 1000 any - - 22":                   "no postcode that begins with 1000 is in PT-30",
		"a US-PR sales 00901 any - - 11.5":              "",
		"a DE vat - any - 2024-01-01 19":                "ends before sales can be assessed",
		"a DE vat - any 2020-01-01 2024-01-02 19":       "",
		"a DE vat - registered - - 19":                  "a registered buyer in DE owes the tax",
		"a DE vat - business - - 19":                    "",
		"a US-TX sales - registered - - 8.25":           "",
		"a EU supply - registered - - 0":                "",
		"a DE vat - registered - 2024-01-01 19":         "ends before",
		"a DE vat - registered 2030-01-01 2031-01-01 1": "a registered buyer in DE owes the tax",
	} {
		text := strings.ReplaceAll(header+row, " ", "\t")
		text = strings.ReplaceAll(text, "vat\t-", "vat\t")
		text = strings.ReplaceAll(text, "sales\t-", "sales\t")
		if strings.Contains(row, "supply") {
			text = "id\tjurisdiction\ttax\tbuyer\ttreatment\trate\na\tEU\tsupply\tregistered\tcustomer\t0\n"
		}
		_, wrong := Parse(text)
		got := strings.Join(complaints(wrong), "; ")
		if want == "" && got != "" || want != "" && !strings.Contains(got, "line 2, ") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", row, got)
		}
	}
	own := "id\tjurisdiction\ttax\tbuyer\ttreatment\trate\ns\tEU\tsupply\tregistered\tcustomer\t0\nv\tDE\tvat\tregistered\tstandard\t19\n"
	if _, wrong := Parse(own); wrong != nil {
		t.Errorf("with a supply row of its own: %q", complaints(wrong))
	}
}

package country_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
)

// isoCodes reads one file of Debian's package iso-codes, the source of the tables.
func isoCodes(t *testing.T, part string, list any) {
	t.Helper()
	text, err := os.ReadFile("/usr/share/iso-codes/json/iso_" + part + ".json")
	if err != nil {
		t.Fatalf("%v: apt-get install iso-codes", err)
	}
	if err := json.Unmarshal(text, list); err != nil {
		t.Fatal(err)
	}
}

func TestGenerated(t *testing.T) {
	isoCodes(t, "3166-1", new(any))
	fresh := filepath.Join(t.TempDir(), "country_gen.go")
	if out, err := exec.Command("go", "run", "gen.go", "-o", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("country_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("country_gen.go is not what gen.go writes: go generate ./core/country")
	}
}

func TestParse(t *testing.T) {
	var iso struct {
		Entries []struct {
			Code string `json:"alpha_2"`
		} `json:"3166-1"`
	}
	isoCodes(t, "3166-1", &iso)
	var want []country.Code
	for _, e := range iso.Entries {
		c, ok := country.Parse(e.Code)
		if !ok || string(c) != e.Code {
			t.Errorf("Parse(%q) = %q, %t", e.Code, c, ok)
		}
		want = append(want, c)
	}
	slices.Sort(want)
	got := slices.Collect(country.All())
	if len(got) != 249 || !slices.Equal(got, want) {
		t.Errorf("All() = %v, want %v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "U", "us", "Us", "USA", " US", "US ", "840", "XK", "EL", "UK", "EU", "AN", "AC", "TA", "ZZ", "A\x00", "\xff\xff", "É",
	} {
		if c, ok := country.Parse(s); ok || c != "" {
			t.Errorf("Parse(%q) = %q, %t", s, c, ok)
		}
	}
}

func TestAllStopsEarly(t *testing.T) {
	for c := range country.All() {
		if c != "AD" {
			t.Fatalf("the first code is %s", c)
		}
		break
	}
}

func TestInEU(t *testing.T) {
	want := strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
	var got []string
	for c := range country.All() {
		if c.InEU() {
			got = append(got, string(c))
		}
	}
	if len(want) != 27 || !slices.Equal(got, want) {
		t.Errorf("the EU is %v, want %v", got, want)
	}
}

func TestSubdivisions(t *testing.T) {
	us := "AA AE AK AL AP AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ " +
		"NM NV NY OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV WY"
	want := map[country.Code]string{"US": us, "CA": "AB BC MB NB NL NS NT NU ON PE QC SK YT"}
	for c := range country.All() {
		var got []string
		for s := range c.Subdivisions() {
			got = append(got, string(s))
		}
		if strings.Join(got, " ") != want[c] {
			t.Errorf("%s has %v, want %s", c, got, want[c])
		}
		if c.NeedsState() != (want[c] != "") {
			t.Errorf("%s.NeedsState() = %t", c, c.NeedsState())
		}
	}
}

func TestParseSubdivision(t *testing.T) {
	for c := range country.All() {
		for want := range c.Subdivisions() {
			for _, s := range []string{string(want), string(c) + "-" + string(want)} {
				if got, ok := c.ParseSubdivision(s); !ok || got != want {
					t.Errorf("%s.ParseSubdivision(%q) = %q, %t", c, s, got, ok)
				}
			}
			if c.SubdivisionName(want) == "" {
				t.Errorf("%s-%s has no name", c, want)
			}
		}
	}
}

func TestParseSubdivisionRefuses(t *testing.T) {
	for _, test := range []struct {
		country country.Code
		s       string
	}{
		{"US", ""}, {"US", "QC"}, {"US", "ca"}, {"US", "California"}, {"US", "US-"}, {"US", "-CA"}, {"US", "CA-CA"},
		{"US", "US-US-CA"}, {"US", "US CA"}, {"US", "USCA"}, {"US", "C"}, {"US", "AAA"}, {"US", "KA"},
		{"CA", "CA"}, {"CA", "NY"}, {"CA", "US-NY"}, {"CA", "CA-NY"}, {"CA", "QC "},
		{"DE", "BY"}, {"DE", "DE-BY"}, {"GB", "ENG"}, {"", ""}, {"", "-CA"},
	} {
		if got, ok := test.country.ParseSubdivision(test.s); ok || got != "" {
			t.Errorf("%s.ParseSubdivision(%q) = %q, %t", test.country, test.s, got, ok)
		}
	}
}

func TestSubdivisionName(t *testing.T) {
	for _, test := range []struct {
		country country.Code
		state   country.Subdivision
		want    string
	}{
		{"US", "AA", "Armed Forces Americas"}, {"US", "CA", "California"}, {"US", "DC", "District of Columbia"},
		{"US", "VI", "U.S. Virgin Islands"}, {"US", "WY", "Wyoming"}, {"US", "QC", ""},
		{"CA", "AB", "Alberta"}, {"CA", "QC", "Quebec"}, {"CA", "YT", "Yukon"}, {"DE", "BY", ""}, {"", "CA", ""},
	} {
		if got := test.country.SubdivisionName(test.state); got != test.want {
			t.Errorf("%s-%s is named %q, want %q", test.country, test.state, got, test.want)
		}
	}
}

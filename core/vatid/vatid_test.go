package vatid

import (
	"os"
	"strings"
	"testing"
)

const members = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"

// others are the country codes outside the European Union.
const others = "XI GB NO CH"

// registrations are the countries without VAT numbers, and territories are the codes that have another country's numbers.
const (
	registrations = "AU CA IN KR NZ SG TH"
	territories   = "AX GP IM MC MQ RE"
)

// example is a line of testdata/numbers.txt.
type example struct{ cc, typed, want, note string }

func examples(t testing.TB) (list []example) {
	t.Helper()
	file, err := os.ReadFile("testdata/numbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := append(strings.Split(line, " | "), "")
		if len(fields) < 4 {
			t.Fatalf("testdata/numbers.txt: %q has less than three fields", line)
		}
		list = append(list, example{strings.Trim(fields[0], `"`), fields[1], fields[2], fields[3]})
	}
	return list
}

func TestExamples(t *testing.T) {
	sound, faulty := map[string]int{}, map[string]int{}
	for _, e := range examples(t) {
		number, fault := Parse(e.cc, e.typed)
		got := string(number)
		if fault != None {
			got += fault.String()
			faulty[e.cc]++
		} else {
			sound[e.cc]++
		}
		if got != e.want {
			t.Errorf("Parse(%q, %q) = %q, want %q (%s)", e.cc, e.typed, got, e.want, e.note)
		}
	}
	for _, cc := range strings.Fields(members + " " + others + " " + registrations) {
		if sound[cc] < 2 || faulty[cc] < 2 {
			t.Errorf("testdata/numbers.txt has %d sound and %d faulty numbers of %s", sound[cc], faulty[cc], cc)
		}
	}
}

func TestSupported(t *testing.T) {
	codes := strings.Fields(members + " " + others + " " + registrations)
	for _, cc := range append(codes, strings.Fields(territories)...) {
		if !Supported(cc) || VAT(cc) == strings.Contains(registrations, cc) {
			t.Errorf("%s is supported: %t, has VAT numbers: %t", cc, Supported(cc), VAT(cc))
		}
	}
	if len(codes) != len(rules) {
		t.Errorf("%d rules for %d countries", len(rules), len(codes))
	}
	for _, cc := range []string{"", "D", "DEU", "de", "EL", "EU", "JP", "US"} {
		if Supported(cc) || VAT(cc) {
			t.Errorf("%q is supported", cc)
		}
	}
}

func TestSeparators(t *testing.T) {
	for _, s := range []string{
		" DE 136 695 976 ",
		"de-136.695/976\r\n",
		"DE\u00a0136\u202f695\u2009976",
		"\ufeffDE\u2010136\u2013695\u2212976\u200b\u200f",
		"DE:136_695'976,(;)",
		"ＤＥ１３６６９５９７６",
		"ｄｅ　１３６－６９５－９７６",
	} {
		if n, fault := Parse("DE", s); n != "DE136695976" {
			t.Errorf("Parse(DE, %+q) = %q, %v", s, n, fault)
		}
	}
	for _, s := range []string{
		"DЕ136695976", // a Cyrillic Е
		"DE136695976é",
		"DE136695976\xff",
		"DE136695976+",
		"VAT DE136695976",
		"DE136695976 Bosch & Co.",
		strings.Repeat("DE136695976", 1000),
		strings.Repeat(" ", 1000),
		"",
		"DE",
	} {
		if n, fault := Parse("DE", s); n != "" || fault != Format {
			t.Errorf("Parse(DE, %+q) = %q, %v", s, n, fault)
		}
	}
}

func TestFaultString(t *testing.T) {
	for fault, want := range map[Fault]string{
		None: "none", Unsupported: "unsupported", Format: "format", CheckDigit: "check-digit",
	} {
		if fault.String() != want {
			t.Errorf("%d is called %s", fault, fault)
		}
	}
}

func TestIsDate(t *testing.T) {
	days := 0
	for year := 1600; year < 2000; year++ {
		for month := -1; month <= 14; month++ {
			for day := -1; day <= 33; day++ {
				if isDate(year, month, day) {
					days++
				}
			}
		}
	}
	if days != 146097 { // in 400 years of the Gregorian calendar
		t.Errorf("%d days in 400 years", days)
	}
	for _, d := range [...][3]int{{1900, 2, 29}, {2023, 2, 29}, {2024, 4, 31}, {2024, 8, 32}, {2024, 13, 1}, {2024, 1, 0}} {
		if isDate(d[0], d[1], d[2]) {
			t.Errorf("%v is a date", d)
		}
	}
	for _, d := range [...][3]int{{2000, 2, 29}, {2024, 2, 29}, {2024, 7, 31}, {2024, 8, 31}, {2024, 12, 31}} {
		if !isDate(d[0], d[1], d[2]) {
			t.Errorf("%v is no date", d)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range examples(f) {
		f.Add(e.cc, e.typed)
	}
	f.Fuzz(func(t *testing.T, cc, s string) {
		n, fault := Parse(cc, s)
		if (n == "") != (fault != None) || (fault == Unsupported) != !Supported(cc) {
			t.Fatalf("Parse(%q, %q) = %q, %v", cc, s, n, fault)
		}
		if fault != None {
			return
		}
		if again, fault := Parse(cc, string(n)); again != n {
			t.Errorf("Parse(%q, %q) = %q, but of that %q, %v", cc, s, n, again, fault)
		}
		if again, fault := Parse(cc, " "+strings.ToLower(string(n[:4]))+"-"+string(n[4:])+"."); again != n {
			t.Errorf("Parse of %q with separators: %q, %v", n, again, fault)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct{ name, cc, s string }{
		{"DE", "DE", "DE136695976"},
		{"Separators", "BE", "be 0428.759.497"},
		{"Completed", "GR", "94259216"},
		{"Longest", "RO", "RO 18547290"},
		{"Last", "NO", "NO 923 609 016 MVA"},
		{"CheckDigit", "DE", "DE136695977"},
		{"Format", "DE", "13669597"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(bench.cc, bench.s)
			}
		})
	}
}

func TestParseAllocates(t *testing.T) {
	for _, e := range examples(t) {
		if got := testing.AllocsPerRun(10, func() { Parse(e.cc, e.typed) }); got > 1 {
			t.Errorf("Parse(%q, %q): %v allocations", e.cc, e.typed, got)
		}
	}
}

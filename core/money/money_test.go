package money_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
)

// unusualDigits are all currencies of ISO 4217 whose minor unit is not a hundredth.
var unusualDigits = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

func TestDigits(t *testing.T) {
	want := map[money.Currency]int{}
	for digits, codes := range unusualDigits {
		for code := range strings.FieldsSeq(codes) {
			want[money.Currency(code)] = digits
		}
	}
	var all []money.Currency
	for c := range money.Currencies() {
		all = append(all, c)
		digits, unusual := want[c]
		if !unusual {
			digits = 2
		}
		if c.Digits() != digits {
			t.Errorf("%s has %d decimals, want %d", c, c.Digits(), digits)
		}
		delete(want, c)
	}
	if len(all) != 165 || !slices.IsSorted(all) || len(want) != 0 {
		t.Errorf("%d currencies, without %v: %v", len(all), want, all)
	}
}

// TestParseCurrency compares the table with Debian's list of codes. A code that only the list has must have no minor unit or
// have been withdrawn since; a code that only the table has must have been added since.
func TestParseCurrency(t *testing.T) {
	const (
		withoutUnit = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"
		withdrawn   = "ANG BGN CUC HRK SLL ZWL"
		added       = "XAD XCG ZWG"
	)
	text, err := os.ReadFile("/usr/share/iso-codes/json/iso_4217.json")
	if err != nil {
		t.Fatalf("%v: apt-get install iso-codes", err)
	}
	var iso struct {
		Entries []struct {
			Code string `json:"alpha_3"`
		} `json:"4217"`
	}
	if err := json.Unmarshal(text, &iso); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(added)
	for _, e := range iso.Entries {
		if !strings.Contains(withoutUnit+" "+withdrawn, e.Code) && !slices.Contains(want, e.Code) {
			want = append(want, e.Code)
		}
	}
	slices.Sort(want)
	var got []string
	for c := range money.Currencies() {
		got = append(got, string(c))
		if parsed, ok := money.ParseCurrency(string(c)); !ok || parsed != c {
			t.Errorf("ParseCurrency(%q) = %q, %t", c, parsed, ok)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the currencies are %v, want %v", got, want)
	}
	for code := range strings.FieldsSeq(withoutUnit + " " + withdrawn) {
		if c, ok := money.ParseCurrency(code); ok || c != "" {
			t.Errorf("ParseCurrency(%q) = %q, %t", code, c, ok)
		}
	}
}

func TestParseCurrencyRefuses(t *testing.T) {
	for _, s := range []string{
		"", "U", "US", "usd", "Usd", "USDT", "USD2", "SD2", "2EU", " USD", "USD ", "840", "US\x00", "\xff\xff\xff", "€",
	} {
		if c, ok := money.ParseCurrency(s); ok || c != "" || c.Digits() != 0 {
			t.Errorf("ParseCurrency(%q) = %q, %t", s, c, ok)
		}
	}
}

func TestCurrenciesStopsEarly(t *testing.T) {
	for c := range money.Currencies() {
		if c != "AED" {
			t.Fatalf("the first currency is %s", c)
		}
		break
	}
}

func TestParseAmount(t *testing.T) {
	for _, test := range []struct {
		s        string
		currency money.Currency
		minor    int64
		wire     string
	}{
		{"29", "USD", 2900, "29.00"},
		{"29.0", "USD", 2900, "29.00"},
		{"29.00", "USD", 2900, "29.00"},
		{"0.05", "USD", 5, "0.05"},
		{"0", "USD", 0, "0.00"},
		{"007.5", "EUR", 750, "7.50"},
		{"4500", "JPY", 4500, "4500"},
		{"0", "JPY", 0, "0"},
		{"1.5", "KWD", 1500, "1.500"},
		{"0.001", "KWD", 1, "0.001"},
		{"1.0001", "CLF", 10001, "1.0001"},
		{"92233720368547758.07", "USD", 1<<63 - 1, "92233720368547758.07"},
		{"9223372036854775807", "JPY", 1<<63 - 1, "9223372036854775807"},
		{"00000000000000000000000000001", "JPY", 1, "1"},
	} {
		a, ok := money.ParseAmount(test.s, test.currency)
		if !ok || a != (money.Amount{Minor: test.minor, Currency: test.currency}) || a.String() != test.wire {
			t.Errorf("ParseAmount(%q, %s) = %d, %t, written %q", test.s, test.currency, a.Minor, ok, a)
		}
	}
}

func TestParseAmountRefuses(t *testing.T) {
	for currency, texts := range map[money.Currency][]string{
		"USD": {
			"", ".", "29.", ".5", "29.000", "29.001", "-29", "+29", "-0", "1e3", "0x10", "1_000", "1,000.00", "1,5", " 29", "29 ", "29\n",
			"1.2.3", "1..2", "$29", "NaN", "Inf", "٢٩", "２９", "1/2", "1:2", "\x00", "\xff",
			"92233720368547758.08", "92233720368547758.1", "92233720368547759", "922337203685477580700", strings.Repeat("9", 1000),
		},
		"JPY": {"4500.", "4500.0", "9223372036854775808", "18446744073709551617"},
		"KWD": {"1.0000"},
		"XXX": {"1"}, "XAU": {"1"}, "": {"1", ""}, "usd": {"1"},
	} {
		for _, s := range texts {
			if a, ok := money.ParseAmount(s, currency); ok || a != (money.Amount{}) {
				t.Errorf("ParseAmount(%q, %q) = %v, %t", s, currency, a, ok)
			}
		}
	}
}

func TestAmountString(t *testing.T) {
	for _, test := range []struct {
		minor    int64
		currency money.Currency
		want     string
	}{
		{-2900, "USD", "-29.00"}, {-5, "USD", "-0.05"}, {-1, "JPY", "-1"}, {-12, "KWD", "-0.012"}, {99, "USD", "0.99"},
		{-1 << 63, "USD", "-92233720368547758.08"}, {-1 << 63, "JPY", "-9223372036854775808"},
	} {
		if got := (money.Amount{Minor: test.minor, Currency: test.currency}).String(); got != test.want {
			t.Errorf("%d %s is written %q, want %q", test.minor, test.currency, got, test.want)
		}
	}
}

var wireForm = regexp.MustCompile(`^\d+(\.\d+)?$`)

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"29", "29.0", "29.00", "29.000", "0", "0.05", "", ".", "1.", "-1", "92233720368547758.08", "1e3"} {
		f.Add(s, "USD")
		f.Add(s, "JPY")
		f.Add(s, "KWD")
	}
	f.Fuzz(func(t *testing.T, s, code string) {
		c, known := money.ParseCurrency(code)
		a, ok := money.ParseAmount(s, money.Currency(code))
		if !ok {
			return
		}
		if !known || a.Currency != c || a.Minor < 0 || !wireForm.MatchString(s) {
			t.Fatalf("ParseAmount(%q, %q) = %v", s, code, a)
		}
		if again, ok := money.ParseAmount(a.String(), c); !ok || again != a {
			t.Errorf("%q is %s, which is %v, %t", s, a, again, ok)
		}
		if !sameNumber(a.String(), s) {
			t.Errorf("%q is written %s", s, a)
		}
	})
}

// sameNumber compares two wire forms by their digits.
func sameNumber(a, b string) bool {
	plain := func(s string) string {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(s, "0")
		}
		return strings.TrimLeft(strings.TrimSuffix(s, "."), "0")
	}
	return plain(a) == plain(b)
}

package money_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
)

func rate(t testing.TB, percent string) money.Rate {
	t.Helper()
	r, ok := money.ParseRate(percent)
	if !ok {
		t.Fatalf("ParseRate(%q) fails", percent)
	}
	return r
}

func TestParseRate(t *testing.T) {
	for _, test := range []struct {
		percent string
		want    money.Rate
		written string
	}{
		{"0", 0, "0"}, {"0.000", 0, "0"}, {"20", 20000, "20"}, {"20.0", 20000, "20"}, {"5.5", 5500, "5.5"}, {"5.05", 5050, "5.05"},
		{"9.975", 9975, "9.975"}, {"0.001", 1, "0.001"}, {"10", 10000, "10"}, {"100", 100000, "100"}, {"008.1", 8100, "8.1"},
	} {
		if r, ok := money.ParseRate(test.percent); !ok || r != test.want || r.Percent() != test.written {
			t.Errorf("ParseRate(%q) = %d, %t, written %q", test.percent, r, ok, r.Percent())
		}
	}
	for _, s := range []string{
		"", ".", "5.", ".5", "9.9750", "-1", "+1", "20%", "1e1", "5,5", " 5", "100.001", "1000", "99999999999999999999",
	} {
		if r, ok := money.ParseRate(s); ok || r != 0 {
			t.Errorf("ParseRate(%q) = %d, %t", s, r, ok)
		}
	}
}

func TestOf(t *testing.T) {
	for _, test := range []struct {
		percent           string
		minor, step, want int64
	}{
		{"20", 2900, 1, 580},
		{"10.75", 2499, 1, 269},  // 268.6425
		{"9.975", 10000, 1, 998}, // 997.5
		{"9.975", -10000, 1, -998},
		{"9.975", 9999, 1, 997}, // 997.400 and a quarter
		{"50", 1, 1, 1},         // a half goes up
		{"50", 1, 10, 0},
		{"24", 10417, 100, 2500}, // 2500.08: ISK in whole krónur
		{"25", 10600, 100, 2700}, // 2650 goes up
		{"5", 12345, 10, 620},    // 617.25: KWD in tens of fils
		{"0", 2900, 1, 0},
		{"100", 2900, 1, 2900},
		{"20", 0, 1, 0},
	} {
		if got := rate(t, test.percent).Of(test.minor, test.step); got != test.want {
			t.Errorf("%s %% of %d in steps of %d is %d, want %d", test.percent, test.minor, test.step, got, test.want)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, test := range []struct {
		percent           string
		gross, step, want int64
	}{
		{"20", 2900, 1, 483}, // 483.33
		{"4", 299, 1, 12},    // 11.5 goes up
		{"19", 11900, 1, 1900},
		{"19", -11900, 1, -1900},
		{"24", 12400, 100, 2400},
		{"24", 12500, 100, 2400}, // 2419.35
		{"100", 100, 1, 50},
		{"100", 1, 1, 1}, // a half goes up, and the net is nothing
		{"100", 9, 10, 0},
		{"0", 2900, 1, 0},
		{"20", 0, 1, 0},
	} {
		if got := rate(t, test.percent).Within(test.gross, test.step); got != test.want {
			t.Errorf("%s %% within %d in steps of %d is %d, want %d", test.percent, test.gross, test.step, got, test.want)
		}
	}
}

// TestRatesAreExact compares Of and Within with arbitrary-precision arithmetic, on small numbers, where halves are common,
// and on large ones.
func TestRatesAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(4217, 3166))
	steps := []int64{1, 10, 100, 1000, 1e9}
	for range 200_000 {
		minor := random.Int64N(1 << (1 + random.UintN(60)))
		r := money.Rate(random.IntN(100_001))
		if random.IntN(2) == 0 {
			r = r / 1000 * 1000
		}
		step := steps[random.IntN(len(steps))]
		of, within := r.Of(minor, step), r.Within(minor, step)
		if want := halfUp(minor, int64(r), 100_000, step); of != want {
			t.Fatalf("rate %d of %d in steps of %d is %d, want %d", r, minor, step, of, want)
		}
		if want := halfUp(minor, int64(r), 100_000+int64(r), step); within != want {
			t.Fatalf("rate %d within %d in steps of %d is %d, want %d", r, minor, step, within, want)
		}
		if within < 0 || within > minor {
			t.Fatalf("rate %d within %d in steps of %d is %d: out of range", r, minor, step, within)
		}
		if r.Of(-minor, step) != -of || r.Within(-minor, step) != -within {
			t.Fatalf("rate %d of %d in steps of %d: a refund differs", r, minor, step)
		}
	}
}

// TestWithinInvertsOf checks that a gross amount of a net amount and its tax contains that tax.
func TestWithinInvertsOf(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 50_000 {
		net, r := random.Int64N(1e15), money.Rate(random.IntN(100_001))
		tax := r.Of(net, 1)
		if got := r.Within(net+tax, 1); got != tax {
			t.Fatalf("rate %d of %d is %d, but within %d it is %d", r, net, tax, net+tax, got)
		}
	}
}

// halfUp returns minor·part/whole, which must not be negative, rounded half up to a multiple of step.
func halfUp(minor, part, whole, step int64) int64 {
	product := new(big.Int).Mul(big.NewInt(minor), big.NewInt(2*part))
	unit := new(big.Int).Mul(big.NewInt(whole), big.NewInt(step))
	product.Add(product, unit)
	return product.Div(product, unit.Lsh(unit, 1)).Int64() * step
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"0", "9.975", "100", "100.000", "100.001", "19.0000", ".5", "5.", "-1", "1e2", "", "00019"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := money.ParseRate(s)
		if !ok {
			if r != 0 {
				t.Fatalf("%q: %d", s, r)
			}
			return
		}
		exact, sound := new(big.Rat).SetString(s)
		if !sound || exact.Cmp(big.NewRat(int64(r), 1000)) != 0 || r < 0 || r > 100_000 {
			t.Fatalf("%q is %d", s, r)
		}
		if again, ok := money.ParseRate(r.Percent()); !ok || again != r {
			t.Fatalf("%q is written %q", s, r.Percent())
		}
	})
}

func FuzzParseCurrency(f *testing.F) {
	f.Add("USD")
	f.Add("XXX") // ISO 4217 for "no currency": a code, and no money
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := money.ParseCurrency(s); ok && string(c) != s || !ok && c != "" {
			t.Fatalf("%q: %q, %t", s, c, ok)
		}
	})
}

package stripe

import (
	"math"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
)

func TestConversion(t *testing.T) {
	cases := []struct {
		currency money.Currency
		minor    int64 // of ISO 4217
		stripe   int64
		step     int64
	}{
		{"USD", 1050, 1050, 1},
		{"HUF", 1050, 1050, 1},
		{"JPY", 500, 500, 1},
		{"KRW", 500, 500, 1},
		{"ISK", 5, 500, 1},
		{"UGX", 5, 500, 1},
		{"MGA", 500, 5, 100},
		{"KWD", 5120, 5120, 10},
		{"TND", 5120, 5120, 10},
	}
	for _, c := range cases {
		if got, ok := toStripe(c.minor, c.currency); !ok || got != c.stripe {
			t.Errorf("toStripe(%d %s) = %d, %v, want %d", c.minor, c.currency, got, ok, c.stripe)
		}
		if a, ok := New(Config{}).Amounts(c.currency); !ok || a.SmallestUnit != c.step {
			t.Errorf("Amounts(%s) = %+v, %v, want the step %d", c.currency, a, ok, c.step)
		}
	}
	for _, c := range []money.Currency{"", "XXX", "usd", "IQD", "CLF", "ANG", "ZWG", "AAA", "ZZZ"} {
		if a, ok := New(Config{}).Amounts(c); ok {
			t.Errorf("Amounts(%q) = %+v", c, a)
		}
	}
}

// Every step of every currency survives the way there and back; what lies between two steps is refused.
func TestConversionRoundTrip(t *testing.T) {
	count := 0
	for c := range money.Currencies() {
		limits, ok := New(Config{}).Amounts(c)
		if !ok {
			continue
		}
		step := limits.SmallestUnit
		count++
		for _, minor := range []int64{limits.Min, limits.Max} {
			if _, ok := toStripe(minor, c); !ok || limits.Why(money.Amount{Minor: minor, Currency: c}) != "" {
				t.Errorf("the limit %d of %s cannot be charged", minor, c)
			}
		}
		if n, ok := toStripe(limits.Max+step, c); ok {
			t.Errorf("more than the maximum of %s became %d", c, n)
		}
		for _, minor := range []int64{0, step, 7 * step, 123_456 * step} {
			n, ok := toStripe(minor, c)
			if back := fromStripe(n, string(c)); !ok || back != (money.Amount{Minor: minor, Currency: c}) {
				t.Errorf("%d %s became %d, %v, and came back as %v", minor, c, n, ok, back)
			}
			if step > 1 {
				if n, ok := toStripe(minor+1, c); ok {
					t.Errorf("%d %s, no multiple of %d, became %d", minor+1, c, step, n)
				}
			}
		}
		if n, ok := toStripe(math.MaxInt64/step*step, c); ok {
			t.Errorf("the largest amount of %s became %d", c, n)
		}
	}
	if want := len(currencies) / 4; count != want {
		t.Errorf("%d currencies of the table are ones of core/money, want all %d", count, want)
	}
}

func TestUnreadableAmounts(t *testing.T) {
	for _, c := range []struct {
		n        int64
		currency string
	}{{100, "zzz"}, {100, ""}, {-1, "usd"}, {maxAmount + 1, "usd"}, {501, "isk"}, {100, "xxx"}, {100, "iqd"}} {
		if got := fromStripe(c.n, c.currency); got != (money.Amount{}) {
			t.Errorf("fromStripe(%d, %q) = %v", c.n, c.currency, got)
		}
	}
}

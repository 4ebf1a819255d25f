package graph

import (
	"reflect"
	"strings"
	"testing"
)

func TestStringFilter(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		f    *stringFilter
		s    string
		want bool
	}{
		{nil, "", true}, {&stringFilter{}, "x", true},
		{&stringFilter{Eq: text("a")}, "a", true}, {&stringFilter{Eq: text("a")}, "A", false}, {&stringFilter{Eq: text("")}, "a", false},
		{&stringFilter{Ne: text("a")}, "a", false}, {&stringFilter{Ne: text("a")}, "b", true},
		{&stringFilter{Contains: text("b")}, "abc", true}, {&stringFilter{Contains: text("b")}, "ac", false},
		{&stringFilter{StartsWith: text("a")}, "abc", true}, {&stringFilter{StartsWith: text("b")}, "abc", false},
		{&stringFilter{EndsWith: text("c")}, "abc", true}, {&stringFilter{EndsWith: text("b")}, "abc", false},
		{&stringFilter{In: &[]string{"a", "b"}}, "b", true}, {&stringFilter{In: &[]string{}}, "b", false},
		{&stringFilter{StartsWith: text("a"), EndsWith: text("c"), Ne: text("abc")}, "abc", false},
	} {
		if got := c.f.match(c.s); got != c.want {
			t.Errorf("%+v of %q: %t", c.f, c.s, got)
		}
	}
	values, rest := (&stringFilter{In: &[]string{"ab", "cd", "ae"}, StartsWith: text("a")}).takeValues()
	if rest != nil || strings.Join(values, " ") != "ab ae" {
		t.Errorf("values %v, %v", values, rest)
	}
	if values, rest = (&stringFilter{Ne: text("a")}).takeValues(); values != nil || rest == nil {
		t.Errorf("without values: %v, %v", values, rest)
	}
	if values, _ = (&stringFilter{Eq: text("a"), Ne: text("a")}).takeValues(); values == nil || len(values) != 0 {
		t.Errorf("a contradiction: %v", values)
	}
	long, many := strings.Repeat("x", maxText+1), make([]string, maxIn+1)
	for _, f := range []*stringFilter{{Eq: &long}, {In: &[]string{long}}, {In: &many}} {
		if f.check() == nil {
			t.Errorf("%+.80v is accepted", f)
		}
	}
}

// TestDateTimeFilter compares the filter with the bounds that it gives for an index.
func TestDateTimeFilter(t *testing.T) {
	text := func(s string) *string { return &s }
	const base = 1_768_473_000_000 // 2026-01-15T10:30:00Z
	at := []string{"2026-01-15T10:30:00Z", "2026-01-15T11:30:00.000+01:00", "2026-01-15T10:30:00", "2026-01-15T10:30:00.000Z"}
	for _, moment := range at {
		for name, f := range map[string]*dateTimeFilter{"eq": {Eq: text(moment)}, "ne": {Ne: text(moment)}, "gt": {Gt: text(moment)}, "gte": {Gte: text(moment)},
			"lt": {Lt: text(moment)}, "lte": {Lte: text(moment)}, "between": {Gte: text("2026-01-15"), Lt: text(moment)}, "none": {Gt: text(moment), Lt: text(moment)}} {
			if err := f.check(); err != nil {
				t.Fatal(err)
			}
			since, until, rest := f.span()
			for _, milli := range []int64{base - 86_400_000, base - 1, base, base + 1, base + 86_400_000} {
				within := milli >= since && (until == 0 || milli < until) && rest.match(milli)
				if got := f.match(milli); got != within {
					t.Errorf("%s %s at %d: %t, by its bounds %d to %d %t", name, moment, milli-base, got, since, until, within)
				}
			}
		}
	}
	for _, bad := range []string{"", "x", "2026", "2026-13-01", "1769999999", "0001-01-01", "9999-12-31", strings.Repeat("2", 1000)} {
		if (&dateTimeFilter{Lte: &bad}).check() == nil {
			t.Errorf("%.40q is accepted", bad)
		}
	}
}

func TestPage(t *testing.T) {
	n := func(n int32) *int32 { return &n }
	all := []int{1, 2, 3}
	for _, c := range []struct {
		p    paging
		want []int
		ok   bool
	}{
		{paging{}, all, true}, {paging{n(2), nil}, all[:2], true}, {paging{nil, n(2)}, all[2:], true}, {paging{n(0), nil}, []int{}, true},
		{paging{n(100), n(10_000)}, []int{}, true}, {paging{n(101), nil}, nil, false}, {paging{n(-1), nil}, nil, false},
		{paging{nil, n(10_001)}, nil, false}, {paging{nil, n(-1)}, nil, false},
	} {
		got, err := page(c.p, all)
		if (err == nil) != c.ok || c.ok && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v, %v", c.p, got, err)
		}
	}
}

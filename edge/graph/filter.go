package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
)

// The bounds of paging and filters.
const (
	maxLimit  = 100
	maxOffset = 10_000
	maxIn     = 100
	maxText   = 512 // of a value, in bytes
)

var (
	errLimit    = problem.New(problem.Invalid, "limit-invalid", "", "Invalid limit: expected 0 to 100")
	errOffset   = problem.New(problem.Invalid, "offset-invalid", "", "Invalid offset: expected 0 to 10000; narrow the list by a filter")
	errDateTime = problem.New(problem.Invalid, "filter-time-invalid", "", "Invalid filter: expected an ISO 8601 timestamp such as 2026-01-15T10:30:00Z")
	errFilter   = problem.New(problem.Invalid, "filter-invalid", "", "Invalid filter: at most 100 values of at most 512 bytes")
)

// paging is the arguments of every list.
type paging struct{ Limit, Offset *int32 }

// bounds returns the number of entries, and how many to skip.
func (p paging) bounds() (limit, offset int, err error) {
	limit = maxLimit
	if p.Limit != nil {
		limit = int(*p.Limit)
	}
	if p.Offset != nil {
		offset = int(*p.Offset)
	}
	switch {
	case limit < 0 || limit > maxLimit:
		return 0, 0, errLimit
	case offset < 0 || offset > maxOffset:
		return 0, 0, errOffset
	}
	return limit, offset, nil
}

// page cuts a page out of a whole list.
func page[T any](p paging, all []T) ([]T, error) {
	limit, offset, err := p.bounds()
	if err != nil {
		return nil, err
	}
	all = all[min(offset, len(all)):]
	return all[:min(limit, len(all))], nil
}

// stringFilter is a condition on a text. A nil filter holds for every text.
type stringFilter struct {
	Eq, Ne, Contains, StartsWith, EndsWith *string
	In                                     *[]string
}

func (f *stringFilter) match(s string) bool {
	if f == nil {
		return true
	}
	return (f.Eq == nil || s == *f.Eq) && (f.Ne == nil || s != *f.Ne) && (f.In == nil || slices.Contains(*f.In, s)) &&
		(f.Contains == nil || strings.Contains(s, *f.Contains)) && (f.StartsWith == nil || strings.HasPrefix(s, *f.StartsWith)) &&
		(f.EndsWith == nil || strings.HasSuffix(s, *f.EndsWith))
}

// exact reports whether the filter allows one text, which is not empty.
func (f *stringFilter) exact() bool { return f != nil && f.Eq != nil && *f.Eq != "" }

func (f *stringFilter) check() error {
	if f == nil {
		return nil
	}
	var values []string
	for _, value := range []*string{f.Eq, f.Ne, f.Contains, f.StartsWith, f.EndsWith} {
		if value != nil {
			values = append(values, *value)
		}
	}
	if f.In != nil {
		if values = append(values, *f.In...); len(*f.In) > maxIn {
			return errFilter
		}
	}
	if slices.ContainsFunc(values, func(s string) bool { return len(s) > maxText }) {
		return errFilter
	}
	return nil
}

// takeValues returns the values that eq and in allow, and the filter of the other conditions; values is nil if there is no such
// condition.
func (f *stringFilter) takeValues() (values []string, rest *stringFilter) {
	if f == nil || f.Eq == nil && f.In == nil {
		return nil, f
	}
	values = []string{}
	candidates := f.In
	if f.Eq != nil {
		candidates = &[]string{*f.Eq}
	}
	for _, value := range *candidates {
		if f.match(value) {
			values = append(values, value)
		}
	}
	return values, nil
}

// dateTimeFilter is a condition on a time in Unix milliseconds. Its values are checked before it is used.
type dateTimeFilter struct{ Eq, Ne, Gt, Gte, Lt, Lte *string }

func (f *dateTimeFilter) check() error {
	if f == nil {
		return nil
	}
	for _, value := range []*string{f.Eq, f.Ne, f.Gt, f.Gte, f.Lt, f.Lte} {
		if value != nil {
			if _, err := parseTime(*value); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseTime reads a timestamp, with or without a zone offset, or a day. What has no zone is in UTC.
func parseTime(text string) (int64, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 1970 && at.Year() < 2286 {
			return at.UnixMilli(), nil
		}
	}
	return 0, errDateTime
}

func (f *dateTimeFilter) match(at int64) bool {
	if f == nil {
		return true
	}
	holds := func(value *string, compare func(a, b int64) bool) bool {
		if value == nil {
			return true
		}
		wanted, err := parseTime(*value)
		return err == nil && compare(at, wanted)
	}
	return holds(f.Eq, func(a, b int64) bool { return a == b }) && holds(f.Ne, func(a, b int64) bool { return a != b }) &&
		holds(f.Gt, func(a, b int64) bool { return a > b }) && holds(f.Gte, func(a, b int64) bool { return a >= b }) &&
		holds(f.Lt, func(a, b int64) bool { return a < b }) && holds(f.Lte, func(a, b int64) bool { return a <= b })
}

// span returns the bounds of the filter, the first inclusive, the second exclusive, 0 for none, and the filter of what the bounds
// do not say.
func (f *dateTimeFilter) span() (since, until int64, rest *dateTimeFilter) {
	if f == nil {
		return 0, 0, nil
	}
	narrow := func(value *string, from, to int64) {
		if value == nil {
			return
		}
		at, _ := parseTime(*value)
		if from >= 0 {
			since = max(since, at+from)
		}
		if to >= 0 && (until == 0 || at+to < until) {
			until = max(at+to, 1)
		}
	}
	narrow(f.Eq, 0, 1)
	narrow(f.Gt, 1, -1)
	narrow(f.Gte, 0, -1)
	narrow(f.Lt, -1, 0)
	narrow(f.Lte, -1, 1)
	if f.Ne != nil {
		rest = &dateTimeFilter{Ne: f.Ne}
	}
	return since, until, rest
}

type intFilter struct{ Eq, Ne, Gt, Gte, Lt, Lte *int32 }

func (f *intFilter) match(n int64) bool {
	if f == nil {
		return true
	}
	holds := func(value *int32, compare func(a, b int64) bool) bool {
		return value == nil || compare(n, int64(*value))
	}
	return holds(f.Eq, func(a, b int64) bool { return a == b }) && holds(f.Ne, func(a, b int64) bool { return a != b }) &&
		holds(f.Gt, func(a, b int64) bool { return a > b }) && holds(f.Gte, func(a, b int64) bool { return a >= b }) &&
		holds(f.Lt, func(a, b int64) bool { return a < b }) && holds(f.Lte, func(a, b int64) bool { return a <= b })
}

type booleanFilter struct{ Eq *bool }

func (f *booleanFilter) match(b bool) bool { return f == nil || f.Eq == nil || b == *f.Eq }

// checked returns the first error of some filters.
func checked(filters ...interface{ check() error }) error {
	for _, f := range filters {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

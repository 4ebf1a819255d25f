// Package metrics counts what a server does and writes it in Prometheus' text format. It adds to github.com/VictoriaMetrics/metrics what
// that leaves to a program: a help text for each metric, values of labels that are found without an allocation, and a bound on their number.
//
// A [Set] has the metrics of one server. A package that measures something takes a *Set in its Config and declares its metrics with it
// once; those of a nil Set are nil and count nothing. Values of labels are names that the program knows, never ids or a caller's text.
package metrics

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	vm "github.com/VictoriaMetrics/metrics"
)

// Set is a set of metrics. It is safe for concurrent use.
type Set struct {
	*registry
	fixed []label // of every metric that is declared with this Set
}

type registry struct {
	mutex    sync.Mutex
	families map[string]*family
}

// family is a metric with all of its label values.
type family struct {
	name, help, kind string
	set              *vm.Set
	collectors       []func(io.Writer)
}

type label struct{ name, value string }

// New returns an empty Set.
func New() *Set { return &Set{registry: &registry{families: make(map[string]*family)}} }

// With returns a Set that writes the same metrics, and declares them with a label.
func (s *Set) With(name, value string) *Set {
	if s == nil {
		return nil
	}
	return &Set{s.registry, append(slices.Clip(s.fixed), label{name, value})}
}

// Write writes all metrics, sorted by name, and then those of the Go runtime and of the process.
func (s *Set) Write(w io.Writer) {
	s.mutex.Lock()
	families := slices.SortedFunc(maps.Values(s.families), func(a, b *family) int { return strings.Compare(a.name, b.name) })
	s.mutex.Unlock()
	for _, f := range families {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %[1]s %[3]s\n", f.name, f.help, f.kind)
		f.set.WritePrometheus(w)
		for _, collect := range f.collectors {
			collect(w)
		}
	}
	vm.WriteProcessMetrics(w)
	vm.WriteFDMetrics(w)
}

// declare returns the family of a name. All declarations of a name have the same help and kind.
func (s *Set) declare(kind, name, help string) *family {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	f := s.families[name]
	if f == nil {
		f = &family{name: name, help: help, kind: kind, set: vm.NewSet()}
		s.families[name] = f
	}
	if f.help != help || f.kind != kind {
		panic("metrics: " + name + " is declared twice, and not alike")
	}
	return f
}

// Counter declares a counter, whose name ends with _total, and its labels.
func (s *Set) Counter(name, help string, labels ...string) *Counter {
	if s == nil {
		return nil
	}
	f := s.declare("counter", name, help)
	return &Counter{newSeries(s, name, labels, f.set.GetOrCreateCounter)}
}

// Counter counts events, by the values of its labels.
type Counter struct{ *series[*vm.Counter] }

// Inc counts one event.
func (c *Counter) Inc(values ...string) {
	if c != nil {
		c.at(values).Inc()
	}
}

// Expect writes the counter with label values at once, with the value 0.
func (c *Counter) Expect(values ...string) {
	if c != nil {
		c.at(values)
	}
}

// Histogram declares a histogram with the upper bounds of its buckets, and its labels.
func (s *Set) Histogram(name, help string, bounds []float64, labels ...string) *Histogram {
	if s == nil {
		return nil
	}
	f := s.declare("histogram", name, help)
	return &Histogram{newSeries(s, name, labels, func(name string) *vm.PrometheusHistogram {
		return f.set.GetOrCreatePrometheusHistogramExt(name, bounds)
	})}
}

// Histogram counts values in buckets, by the values of its labels.
type Histogram struct {
	*series[*vm.PrometheusHistogram]
}

// Observe counts a value. One below 0 is not counted.
func (h *Histogram) Observe(value float64, values ...string) {
	if h != nil {
		h.at(values).Update(value)
	}
}

// Since counts the seconds since a time.
func (h *Histogram) Since(began time.Time, values ...string) {
	h.Observe(time.Since(began).Seconds(), values...)
}

// Seconds are bounds for how long a request, a call or a commit takes.
var Seconds = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Emit writes a value, with the values of the metric's labels.
type Emit func(value float64, values ...string)

// Gauge declares a metric that is read when metrics are written. read calls emit once for each combination of label values, and never
// if there is no value. It must be cheap: see [Sampled].
func (s *Set) Gauge(name, help string, labels []string, read func(emit Emit)) {
	s.collect("gauge", name, help, labels, read)
}

// CounterOf declares a counter that something else counts. It is read as a [Set.Gauge] is.
func (s *Set) CounterOf(name, help string, labels []string, read func(emit Emit)) {
	s.collect("counter", name, help, labels, read)
}

func (s *Set) collect(kind, name, help string, labels []string, read func(emit Emit)) {
	if s == nil {
		return
	}
	f := s.declare(kind, name, help)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	f.collectors = append(f.collectors, func(w io.Writer) {
		read(func(value float64, values ...string) {
			fmt.Fprintf(w, "%s %s\n", s.full(name, labels, values), strconv.FormatFloat(value, 'g', -1, 64))
		})
	})
}

// Value returns the read function of a gauge without labels.
func Value(read func() float64) func(Emit) { return func(emit Emit) { emit(read()) } }

// full is a metric's name with its labels.
func (s *Set) full(name string, labels, values []string) string {
	var text strings.Builder
	add := func(name, value string) {
		text.WriteString(map[bool]string{true: "{", false: ","}[text.Len() == 0])
		fmt.Fprintf(&text, "%s=%q", name, value)
	}
	for _, l := range s.fixed {
		add(l.name, l.value)
	}
	for i, value := range values {
		add(labels[i], value)
	}
	if text.Len() > 0 {
		text.WriteString("}")
	}
	return name + text.String()
}

const (
	maxLabels = 3
	// maxSeries bounds the combinations of label values of one declaration. Those beyond it count as [Other].
	maxSeries = 500
)

// Other is the value of each label of what is beyond the bound.
const Other = "other"

// series finds the metric of label values. Readers take no lock: a new combination replaces the map.
type series[M any] struct {
	set    *Set
	name   string
	labels []string
	create func(name string) M
	mutex  sync.Mutex
	known  atomic.Pointer[map[[maxLabels]string]M]
}

// newSeries returns the series of a metric. One without labels exists from the beginning.
func newSeries[M any](set *Set, name string, labels []string, create func(string) M) *series[M] {
	s := &series[M]{set: set, name: name, labels: labels, create: create}
	s.known.Store(&map[[maxLabels]string]M{})
	if len(labels) == 0 {
		s.at(nil)
	}
	return s
}

// at returns the metric of label values, which are as many as the labels.
func (s *series[M]) at(values []string) M {
	var key [maxLabels]string
	if copy(key[:], values) != len(s.labels) {
		panic(fmt.Sprintf("metrics: %s has the labels %q, not %d values", s.name, s.labels, len(values)))
	}
	if m, ok := (*s.known.Load())[key]; ok {
		return m
	}
	return s.add(key)
}

func (s *series[M]) add(key [maxLabels]string) M {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	known := *s.known.Load()
	if len(known) >= maxSeries {
		for i := range s.labels {
			key[i] = Other
		}
	}
	if m, ok := known[key]; ok {
		return m
	}
	m := s.create(s.set.full(s.name, s.labels, key[:len(s.labels)]))
	next := maps.Clone(known)
	next[key] = m
	s.known.Store(&next)
	return m
}

// Sampled returns a function that returns the result of read. It calls read again when a hundred times as long has passed since then as that took,
// so that reading takes a hundredth of one processor at most, however often the metrics are written.
func Sampled[T any](read func() T) func() T {
	var mutex sync.Mutex
	var value T
	var again time.Time
	return func() T {
		mutex.Lock()
		defer mutex.Unlock()
		if began := time.Now(); !began.Before(again) {
			value = read()
			took := time.Since(began)
			again = began.Add(100 * took)
		}
		return value
	}
}

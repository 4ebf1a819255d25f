package metrics

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWrite: metrics have a help text and a type, are sorted, and have the labels of their Set.
func TestWrite(t *testing.T) {
	s := New()
	calls := s.Counter("crepe_b_total", "Calls.", "to", "outcome")
	calls.Inc("here", `a "b"`)
	calls.Inc("here", `a "b"`)
	calls.Inc("here", `a "b"`)
	test := s.With("environment", "test")
	test.Counter("crepe_c_total", "In an environment.").Inc()
	s.With("environment", "prod").Counter("crepe_c_total", "In an environment.")
	test.Histogram("crepe_d_seconds", "Times.", []float64{1, 2}, "route").Observe(1.5, "/")
	s.Gauge("crepe_a", "Levels.", []string{"level"}, func(emit Emit) { emit(1.5, "0"); emit(1e9, "1") })
	s.CounterOf("crepe_e_total", "Elsewhere.", nil, Value(func() float64 { return 7 }))
	var text strings.Builder
	s.Write(&text)
	want := `# HELP crepe_a Levels.
# TYPE crepe_a gauge
crepe_a{level="0"} 1.5
crepe_a{level="1"} 1e+09
# HELP crepe_b_total Calls.
# TYPE crepe_b_total counter
crepe_b_total{to="here",outcome="a \"b\""} 3
# HELP crepe_c_total In an environment.
# TYPE crepe_c_total counter
crepe_c_total{environment="prod"} 0
crepe_c_total{environment="test"} 1
# HELP crepe_d_seconds Times.
# TYPE crepe_d_seconds histogram
crepe_d_seconds_bucket{environment="test",route="/",le="1"} 0
crepe_d_seconds_bucket{environment="test",route="/",le="2"} 1
crepe_d_seconds_bucket{environment="test",route="/",le="+Inf"} 1
crepe_d_seconds_sum{environment="test",route="/"} 1.5
crepe_d_seconds_count{environment="test",route="/"} 1
# HELP crepe_e_total Elsewhere.
# TYPE crepe_e_total counter
crepe_e_total 7
`
	if got := text.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, "\ngo_goroutines ") || !strings.Contains(got, "\nprocess_start_time_seconds ") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestBound: label values beyond the bound count as other, and none is lost.
func TestBound(t *testing.T) {
	s := New()
	c := s.Counter("crepe_x_total", "X.", "id")
	for i := range 2 * maxSeries {
		c.Inc(fmt.Sprint(i))
	}
	var text strings.Builder
	s.Write(&text)
	if got := strings.Count(text.String(), "crepe_x_total{"); got != maxSeries+1 {
		t.Errorf("%d series", got)
	}
	if want := fmt.Sprintf("crepe_x_total{id=\"other\"} %d\n", maxSeries); !strings.Contains(text.String(), want) {
		t.Errorf("no %s", want)
	}
}

// TestNil: a nil Set takes metrics.
func TestNil(t *testing.T) {
	var s *Set
	s.With("a", "b").Counter("crepe_x_total", "X.").Inc()
	s.Histogram("crepe_x_seconds", "X.", Seconds).Observe(1)
	s.Gauge("crepe_x", "X.", nil, func(Emit) { t.Error("it was read") })
}

// TestSampled: what takes long is read seldom.
func TestSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		sampled := Sampled(func() int { reads++; time.Sleep(time.Second); return reads })
		for range 1000 {
			if got := sampled(); got != reads {
				t.Fatalf("%d instead of %d", got, reads)
			}
			time.Sleep(time.Second)
		}
		if reads < 9 || reads > 12 {
			t.Errorf("read %d times in some 1000 seconds", reads)
		}
	})
}

// BenchmarkInc: counting takes nanoseconds and allocates nothing.
func BenchmarkInc(b *testing.B) {
	c := New().Counter("crepe_x_total", "X.", "route", "status")
	b.ReportAllocs()
	for b.Loop() {
		c.Inc("/v1/actions/onetime-order/create-order", "2xx")
	}
}

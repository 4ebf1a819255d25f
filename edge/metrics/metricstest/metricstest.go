// Package metricstest reads metrics in tests.
package metricstest

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Figures are the metrics of the program itself in a scrape, by name.
type Figures map[string]*Figure

// Figure is a metric.
type Figure struct {
	Kind, Help string
	Labels     []string
	Samples    map[string]string // value by name and labels
}

var (
	helpLine   = regexp.MustCompile(`^# HELP (crepe_\w+) (.+)$`)
	typeLine   = regexp.MustCompile(`^# TYPE (crepe_\w+) (counter|gauge|histogram)$`)
	sampleLine = regexp.MustCompile(`^(crepe_\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})? ([0-9.e+-]+|NaN|\+Inf)$`)
	labelText  = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// Parse parses a scrape. Every line of a metric of the program must have the form that Prometheus reads.
func Parse(t testing.TB, text string) Figures {
	t.Helper()
	found := make(Figures)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := helpLine.FindStringSubmatch(line); m != nil {
			found[m[1]] = &Figure{Help: m[2], Samples: make(map[string]string)}
		} else if m := typeLine.FindStringSubmatch(line); m != nil {
			found[m[1]].Kind = m[2]
		} else if m := sampleLine.FindStringSubmatch(line); m != nil {
			found.add(t, m)
		} else if strings.Contains(line, "crepe_") {
			t.Errorf("not in the form of Prometheus: %s", line)
		}
	}
	return found
}

// add adds a sample: its name, suffix, labels and value.
func (found Figures) add(t testing.TB, m []string) {
	t.Helper()
	f := found[m[1]]
	if f == nil || (f.Kind == "histogram") != (m[2] != "") {
		f = found[m[1]+m[2]]
	}
	if f == nil {
		t.Fatalf("%s has no help", m[0])
	}
	f.Samples[strings.TrimSuffix(m[0], " "+m[4])] = m[4]
	f.Labels = nil
	for _, l := range labelText.FindAllStringSubmatch(m[3], -1) {
		if l[1] != "le" {
			f.Labels = append(f.Labels, l[1])
		}
	}
}

// Of returns the metric of a sample, nil if there is none.
func (found Figures) Of(sample string) *Figure {
	name, _, _ := strings.Cut(sample, "{")
	if f := found[name]; f != nil {
		return f
	}
	for _, suffix := range []string{"_count", "_sum", "_bucket"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return found[base]
		}
	}
	return nil
}

// Want checks samples. A missing one has the value "".
func (found Figures) Want(t testing.TB, samples map[string]string) {
	t.Helper()
	for sample, want := range samples {
		if f := found.Of(sample); f == nil {
			t.Errorf("there is no metric %s", sample)
		} else if got := f.Samples[sample]; got != want {
			t.Errorf("%s is %q, not %s", sample, got, want)
		}
	}
}

// endings are how names of a kind of metrics end, by the conventions of Prometheus.
var endings = map[string]*regexp.Regexp{"counter": regexp.MustCompile(`_total$`), "gauge": regexp.MustCompile(`[^l]$|[^a]l$`),
	"histogram": regexp.MustCompile(`_(seconds|size)$`)}

// Rows are the rows of a table of the metrics whose names begin with a prefix. Each must have a value and a name by the conventions.
func (found Figures) Rows(t testing.TB, prefix string) (rows string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(found)) {
		f := found[name]
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if len(f.Samples) == 0 {
			t.Errorf("%s has no value", name)
		}
		if !endings[f.Kind].MatchString(name) {
			t.Errorf("%s is a %s", name, f.Kind)
		}
		labels := ""
		if len(f.Labels) > 0 {
			labels = "`" + strings.Join(f.Labels, "`, `") + "`"
		}
		rows += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, f.Kind, labels, f.Help)
	}
	return rows
}

// Table compares the table of a document that begins with a title with rows. With update it writes the rows.
func Table(t testing.TB, document, title, rows string, update bool) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile("(?m)^\\| " + title + " \\|.*\n\\|[-|]*\n((?:\\| `crepe_.*\n)*)").FindSubmatchIndex(text)
	if at == nil {
		t.Fatalf("%s has no table %q", document, title)
	}
	if string(text[at[2]:at[3]]) == rows {
		return
	}
	if !update {
		t.Fatalf("the table %q in %s is not what is served (go test -update writes it):\n%s", title, document, rows)
	}
	if err := os.WriteFile(document, slices.Concat(text[:at[2]], []byte(rows), text[at[3]:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

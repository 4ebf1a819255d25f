package server

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-json"
	"go.yaml.in/yaml/v3"
)

// alertRules is the file of alert rules.
type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr         string
			Labels, Annotations map[string]string
		}
	}
}

// grafanaPanel is a panel of a dashboard.
type grafanaPanel struct {
	Title   string
	Type    string
	Targets []struct{ Expr string }
}

// checkMonitoring checks the dashboard and the alert rules: every metric and label in their expressions is in a scrape or in the
// manual's tables, and every alert has a section in the manual that says what to do.
func checkMonitoring(t *testing.T, scraped string) {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	known := knownMetrics(string(text), scraped)
	var board struct{ Panels []grafanaPanel }
	read(t, "../cmd/crepe/grafana.json", json.Unmarshal, &board)
	queries := 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries++
			checkExpression(t, known, "the panel "+p.Title, target.Expr)
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %s shows nothing", p.Title)
		}
	}
	var rules alertRules
	read(t, "../cmd/crepe/alerts.yaml", yaml.Unmarshal, &rules)
	known["up"] = []string{"job"} // Prometheus' own
	sections := anchors(string(text))
	for _, r := range rules.Groups[0].Rules {
		checkExpression(t, known, "the alert "+r.Alert, r.Expr)
		section, ok := strings.CutPrefix(r.Annotations["runbook"], "edge/README.md#")
		if !ok || !slices.Contains(sections, section) || r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
			t.Errorf("the alert %s has no severity, no summary, or no section %q in the manual", r.Alert, r.Annotations["runbook"])
		}
	}
	if queries < 40 || len(rules.Groups[0].Rules) < 10 {
		t.Errorf("read %d queries and %d alerts only", queries, len(rules.Groups[0].Rules))
	}
}

func read(t *testing.T, file string, parse func([]byte, any) error, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = parse(text, into)
	}
	if err != nil {
		t.Fatal(file, err)
	}
}

var (
	metricRow    = regexp.MustCompile("(?m)^\\| `(crepe_\\w+)` \\| (\\w+) \\| ([^|]*) \\|")
	processValue = regexp.MustCompile(`(?m)^((?:go|process)_\w+)`)
	selector     = regexp.MustCompile(`([a-zA-Z_:][\w:]*)\{([^{}]*)\}`)
	matcher      = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`)
	quotedText   = regexp.MustCompile(`"[^"]*"`)
	grouping     = regexp.MustCompile(`\b(by|on|without|ignoring) ?\(([^()]*)\)`)
	identifier   = regexp.MustCompile(`[a-zA-Z_:$][\w:$]*\b(\s*\()?`)
	duration     = regexp.MustCompile(`\[[^\]]*\]`)
)

// knownMetrics returns the labels of each metric by the names under which it is queried.
func knownMetrics(manual, scraped string) map[string][]string {
	known := make(map[string][]string)
	for _, m := range metricRow.FindAllStringSubmatch(manual, -1) {
		labels := strings.FieldsFunc(m[3], func(r rune) bool { return strings.ContainsRune("`, ", r) })
		if m[2] != "histogram" {
			known[m[1]] = labels
			continue
		}
		known[m[1]+"_sum"], known[m[1]+"_count"], known[m[1]+"_bucket"] = labels, labels, append(labels, "le")
	}
	for _, m := range processValue.FindAllStringSubmatch(scraped, -1) {
		known[m[1]] = nil
	}
	return known
}

// targetLabels are the labels that Prometheus adds.
var targetLabels = []string{"instance", "job"}

// checkExpression checks the names in an expression: what is neither an operator nor a function is a metric.
func checkExpression(t *testing.T, known map[string][]string, where, expr string) {
	t.Helper()
	metrics, used := 0, []string{}
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(known[m[1]], l[1]) && !slices.Contains(targetLabels, l[1]) {
				t.Errorf("%s: %s has no label %s", where, m[1], l[1])
			}
		}
	}
	rest := selector.ReplaceAllString(expr, "$1 ")
	rest = duration.ReplaceAllString(quotedText.ReplaceAllString(rest, ""), "")
	for _, g := range grouping.FindAllStringSubmatch(rest, -1) {
		used = append(used, strings.FieldsFunc(g[2], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	var labels []string
	for _, m := range identifier.FindAllStringSubmatch(grouping.ReplaceAllString(rest, ""), -1) {
		name := strings.TrimSpace(m[0])
		if m[1] != "" || slices.Contains([]string{"and", "or", "unless", "bool"}, name) || name == "e" {
			continue
		}
		metrics++
		if _, ok := known[name]; !ok {
			t.Errorf("%s: there is no metric %s", where, name)
		}
		labels = append(labels, known[name]...)
	}
	for _, l := range used {
		if !slices.Contains(labels, l) && !slices.Contains(targetLabels, l) {
			t.Errorf("%s: groups by %s, which no metric of it has", where, l)
		}
	}
	if metrics == 0 {
		t.Errorf("%s: %q has no metric", where, expr)
	}
}

// anchors are the names by which the sections of a Markdown document are linked.
func anchors(text string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// TestCheckExpression: a wrong name is noticed.
func TestCheckExpression(t *testing.T) {
	known := map[string][]string{"crepe_a_total": {"route"}, "crepe_b_bucket": {"le"}}
	for expr, right := range map[string]bool{
		`sum by (route) (rate(crepe_a_total{route="/x y"}[5m])) > 0.5 and crepe_a_total offset 5m`: false, // offset is not known here
		`sum by (route) (rate(crepe_a_total{route="/x y"}[5m])) > 0.5`:                             true,
		`histogram_quantile(0.99, sum by (le) (rate(crepe_b_bucket[$__rate_interval])))`:           true,
		`crepe_a`:                             false,
		`crepe_a_total{status="2xx"}`:         false,
		`sum by (status) (crepe_a_total)`:     false,
		`sum(rate(crepe_b_total{a="b"}[5m]))`: false,
		`vector(1)`:                           false,
	} {
		probe := &testing.T{}
		checkExpression(probe, known, "a test", expr)
		if probe.Failed() == right {
			t.Errorf("%s is right: %t", expr, !probe.Failed())
		}
	}
}

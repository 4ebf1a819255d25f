package fault

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for spec, want := range map[Spec]Injected{
		"timeout":              {Kind: Kind{Name: "timeout"}},
		"slow":                 {Kind: Kind{Name: "slow"}, Wait: 2 * time.Second},
		"slow:800ms":           {Kind: Kind{Name: "slow"}, Wait: 800 * time.Millisecond},
		"slow-1.5s":            {Kind: Kind{Name: "slow"}, Wait: 1500 * time.Millisecond},
		"expire.slow-1.5s":     {Kind: Kind{Name: "slow"}, Wait: 1500 * time.Millisecond, On: Expire},
		"429:1m":               {Kind: Kind{Name: "429"}, Wait: time.Minute},
		"webhook.late:1h":      {Kind: Kind{Name: "late"}, Wait: time.Hour, On: Webhook},
		"webhook.none":         {Kind: Kind{Name: "none"}, On: Webhook},
		"list.reset":           {Kind: Kind{Name: "reset"}, On: List},
		"create.lost_response": {Kind: Kind{Name: "lost_response"}, On: Create},
	} {
		got, err := spec.Parse()
		if err != nil || got.Name != want.Name || got.Wait != want.Wait || got.On != want.On || got.Spec != spec {
			t.Errorf("%s: %+v, %v", spec, got, err)
		}
	}
	for _, spec := range []Spec{"", "time", "TIMEOUT", "timeout:1s", "slow:", "slow:1", "slow:2m", "slow:-1s", "expire.twice",
		"webhook.timeout", "charge.timeout", "expire.", ".timeout", "late:25h", "timeout ", "ada"} {
		if got, err := spec.Parse(); err == nil {
			t.Errorf("%q: %+v", spec, got)
		}
	}
}

// TestTable: the README lists the faults of the table, and no others.
func TestTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, known []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllSubmatch(text, -1) {
		for _, name := range regexp.MustCompile("`([^`]*)`").FindAllSubmatch(row[1], -1) {
			parsed, err := Spec(name[1]).Parse()
			if err != nil {
				t.Errorf("the README has %s: %v", name[1], err)
			}
			listed = append(listed, parsed.Name)
		}
	}
	for _, k := range kinds {
		known = append(known, k.Name)
	}
	slices.Sort(known)
	slices.Sort(listed)
	if !slices.Equal(slices.Compact(listed), known) {
		t.Errorf("the README has %v, want %v", listed, known)
	}
}

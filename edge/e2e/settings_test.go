package e2e

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSettings: the table of settings in edge/README.md has every flag of crepe serve, with the default that --help prints.
func TestSettings(t *testing.T) {
	help, err := exec.Command(binary.path, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	flags, rows := make(map[string]string), make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^  -([a-z-]+).*\n(?:.*\(default "?([^")]*)"?\))?`).FindAllStringSubmatch(string(help), -1) {
		flags[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = strings.Trim(m[2], "`")
	}
	if got, want := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(flags)); !slices.Equal(got, want) {
		t.Errorf("the table has %q, crepe serve has %q", got, want)
	}
	for name, value := range flags {
		if value != "" && rows[name] != value {
			t.Errorf("the table says that --%s is %s, crepe serve says %s", name, rows[name], value)
		}
	}
}

package storetest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/edge/record"
)

// Retention reads the table of the operator's manual that says when stored data ends, and returns the keys and tables that it names.
// Each is in one row, and each kind of an entry has a row. readme is the path of edge/README.md.
func Retention(readme string) (named map[string]bool, err error) {
	text, err := os.ReadFile(readme)
	if err != nil {
		return nil, err
	}
	_, section, _ := strings.Cut(string(text), "\n## Retention\n")
	section, _, _ = strings.Cut(section, "\n## ")
	named = make(map[string]bool)
	var rows []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 {
			continue
		}
		rows = append(rows, strings.Split(strings.TrimPrefix(cells[0], "| "), ", ")...)
		for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			if named[match[1]] {
				return nil, fmt.Errorf("%s: %s is in two rows", readme, match[1])
			}
			named[match[1]] = true
		}
	}
	for _, kind := range record.Kinds {
		if !slices.Contains(rows, string(kind)) {
			return nil, fmt.Errorf("%s: the table Retention has no row of the kind %q", readme, kind)
		}
	}
	return named, nil
}

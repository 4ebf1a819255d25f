package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocuments: relative links of the project's documents lead to files, and the README stays short.
func TestDocuments(t *testing.T) {
	const root, longest = "../..", 7 << 10
	if info, err := os.Stat(root + "/README.md"); err != nil || info.Size() > longest {
		t.Errorf("README.md: %v, or longer than %d bytes", err, longest)
	}
	links := 0
	for _, file := range documents(t, root) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`).FindAllSubmatch(text, -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), string(m[1]))); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if links < 20 {
		t.Errorf("found %d links only", links)
	}
}

// documents finds the Markdown files below a directory, without those of other projects.
func documents(t *testing.T, root string) (files []string) {
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch base := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (base == "node_modules" || strings.HasPrefix(base, ".") && name != root):
			return filepath.SkipDir
		case strings.HasSuffix(base, ".md"):
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

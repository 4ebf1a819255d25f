package wasm_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestREADME runs the programs of README.md: in a Go module of its own, in Node with the npm package's files, and in a static
// page in Chromium. Each must print the answer in README.md.
func TestREADME(t *testing.T) {
	snippets := readmePrograms(t)
	work := t.TempDir()
	install(t, work)
	write(t, filepath.Join(work, "main.go"), snippets["go"])
	write(t, filepath.Join(work, "main.mjs"), snippets["node"])
	write(t, filepath.Join(work, "index.html"), snippets["page"])
	answers := map[string]string{
		"go":   output(t, work, "go", "run", "-mod=mod", "."),
		"node": output(t, work, "node", "main.mjs"),
		"page": dumped(t, work),
	}
	for name, answer := range answers {
		if answer != snippets["answer"] {
			t.Errorf("%s prints\n%q, want\n%q", name, answer, snippets["answer"])
		}
		if lines := len(regexp.MustCompile(`\n[^\n]`).FindAllString("\n"+snippets[name], -1)); lines >= 10 {
			t.Errorf("%s has %d lines, want fewer than 10", name, lines)
		}
	}
}

// TestJavaScriptMethods compares the typed methods of the npm package with the vectors.
func TestJavaScriptMethods(t *testing.T) {
	work := t.TempDir()
	install(t, work)
	var lines strings.Builder
	var asked []*vector
	for _, v := range vectors(t) {
		if v.In == nil {
			continue
		}
		fmt.Fprintf(&lines, "[%q,%s]\n", v.Op, compact(v.In))
		asked = append(asked, v)
	}
	script := exec.CommandContext(t.Context(), "node", "testdata/methods.mjs", filepath.Join(work, "core"))
	script.Stdin = strings.NewReader(lines.String())
	script.Stderr = os.Stderr
	text, err := script.Output()
	if err != nil {
		t.Fatalf("%v; the tests need Node 20 (apt-get install nodejs)", err)
	}
	answers := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(answers) != len(asked) {
		t.Fatalf("%d answers to %d calls", len(answers), len(asked))
	}
	for i, v := range asked {
		if want := string(compact(v.Out)); answers[i] != want {
			t.Errorf("%s:\ngot  %s\nwant %s", v.file, answers[i], want)
		}
	}
}

// readmePrograms returns the code blocks of README.md by the names in the comments before them.
func readmePrograms(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := make(map[string]string)
	for _, match := range regexp.MustCompile("(?s)<!-- program:(\\w+) -->\n```\\w+\n(.*?)```\n").FindAllStringSubmatch(string(text), -1) {
		snippets[match[1]] = match[2]
	}
	if len(snippets) != 4 {
		t.Fatalf("README.md has %d named programs, want go, node, page and answer", len(snippets))
	}
	return snippets
}

// install makes a folder a Go module that requires this one, and puts the files of the npm package where Node and a page
// find them.
func install(t *testing.T, work string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(work, "go.mod"), "module reuse\n\ngo 1.26.8\n\nrequire github.com/crepe-checkout/crepe v0.0.0\n\n"+
		"replace github.com/crepe-checkout/crepe => "+root+"\n")
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(work, "go.sum"), string(sums))
	if err := os.MkdirAll(filepath.Join(work, "client"), 0o755); err != nil {
		t.Fatal(err)
	}
	core := filepath.Join(work, "core")
	for _, file := range []string{"checkout.wasm", "../web/packages/core/package.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(core, filepath.Base(file)), string(text))
	}
	output(t, "../web/build", "go", "run", ".", "-packages", filepath.Join(root, "web"), work)
	scope := filepath.Join(work, "node_modules", "@crepe-checkout")
	if err := os.MkdirAll(scope, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(core, filepath.Join(scope, "core")); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, dir, name string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = dir
	var errs strings.Builder
	command.Stderr = &errs
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, errs.String())
	}
	return string(text)
}

// dumped returns the page's output in Chromium.
func dumped(t *testing.T, work string) string {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(work)))
	defer server.Close()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("the tests need Chromium: apt-get install chromium")
	}
	page := output(t, work, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
		"--user-data-dir="+filepath.Join(work, "profile"), "--dump-dom", server.URL+"/index.html")
	_, said, _ := strings.Cut(page, "<pre>")
	said, _, _ = strings.Cut(said, "</pre>")
	return said + "\n"
}

// TestExample checks that the example builds as a module of its own, and its output.
func TestExample(t *testing.T) {
	const want = "/billingDetail/taxId: Invalid taxId for DE\n29.00 EUR, of which tax 0.00: reverse-charge by [eu-supply-3]\n"
	if got := output(t, "example", "go", "run", "."); got != want {
		t.Errorf("it prints\n%s, want\n%s", got, want)
	}
}

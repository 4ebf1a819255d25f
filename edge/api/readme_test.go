package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of README.md anew")

// TestREADME compares the generated parts of README.md: the examples with the recorded exchanges, and the errors with the sources.
func TestREADME(t *testing.T) {
	file, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(file)
	for _, e := range exchanges(t) {
		if e.Response != nil && !e.Omit {
			readme = replacePart(t, readme, "example "+e.Name, e.markdown(t))
		}
	}
	readme = replacePart(t, readme, "errors", errorTable(t, readme))
	if *update {
		if err := os.WriteFile("README.md", []byte(readme), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if readme != string(file) {
		t.Error("README.md is not what exchanges.json and the sources say: go test ./edge/api -run README -update")
	}
}

// replacePart replaces what is between the comments "begin name" and "end name".
func replacePart(t *testing.T, readme, name, content string) string {
	t.Helper()
	before, rest, found := strings.Cut(readme, "<!-- begin "+name+" -->\n")
	_, after, closed := strings.Cut(rest, "<!-- end "+name+" -->\n")
	if !found || !closed {
		t.Fatalf("README.md has no part %q", name)
	}
	return before + "<!-- begin " + name + " -->\n" + content + "<!-- end " + name + " -->\n" + after
}

// exchange is a recorded request with its answer; edge/server's TestExchanges writes them.
type exchange struct {
	Name, Method, Path string
	Header             map[string]string
	Request, Response  json.RawMessage
	Status             int
	Omit               bool // not in README.md
}

func exchanges(t *testing.T) (recorded []exchange) {
	t.Helper()
	text, err := os.ReadFile("testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded
}

func (e *exchange) markdown(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, "```http\n%s %s\n", e.Method, e.Path)
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, e.Header[name])
	}
	fmt.Fprintf(&b, "Content-Type: application/json\n\n%s\n```\n\n```http\nHTTP/1.1 %d %s\n\n%s\n```\n",
		indented(t, e.Request), e.Status, http.StatusText(e.Status), indented(t, e.Response))
	return b.String()
}

func indented(t *testing.T, text []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// apiError is one row of the table of errors.
type apiError struct{ status, code, text string }

// errorTable is the table of errors: status, code and text from the sources, what to do from the table as it is.
func errorTable(t *testing.T, readme string) string {
	advice := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| [^|]* \\| `([a-z-]+)` \\| .* \\| ([^|]*) \\|$").FindAllStringSubmatch(readme, -1) {
		advice[row[1]] = row[2]
	}
	var b strings.Builder
	b.WriteString("| status | code | text | what to do |\n|---|---|---|---|\n")
	for _, e := range sourceErrors(t) {
		if advice[e.code] == "" {
			t.Errorf("README.md does not say what to do about %s", e.code)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", e.status, e.code, e.text, advice[e.code])
	}
	return b.String()
}

// TestOneText: a code has one text, so that programs and people are told the same. The published document gives no code two.
func TestOneText(t *testing.T) {
	texts := make(map[string]string)
	for _, e := range sourceErrors(t) {
		if text, known := texts[e.code]; known && text != e.text {
			t.Errorf("%s is both %q and %q", e.code, text, e.text)
		}
		texts[e.code] = e.text
	}
	if len(texts) < 100 {
		t.Errorf("found %d codes only", len(texts))
	}
}

// sourceErrors finds every error of the API in the sources of core and edge: calls of problem.New and Refuse, and literals of
// transportError. One whose code is not a literal is not the API's.
func sourceErrors(t *testing.T) []apiError {
	t.Helper()
	found := make(map[apiError]bool)
	add := func(status, code, text ast.Expr) {
		literal, ok := code.(*ast.BasicLit)
		if name := statusOf(status); ok && name != "" {
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[apiError{name, value, textOf(text)}] = true
		}
	}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch name := nameOf(n.Fun); {
				case name == "New" && len(n.Args) == 4:
					add(n.Args[0], n.Args[1], n.Args[3])
				case name == "Refuse" && len(n.Args) == 4:
					add(n.Args[1], n.Args[2], n.Args[3])
				}
			case *ast.CompositeLit:
				if nameOf(n.Type) == "transportError" && len(n.Elts) == 3 {
					add(n.Elts[0], n.Elts[1], n.Elts[2])
				}
			}
			return true
		})
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b apiError) int {
		return cmp.Or(cmp.Compare(a.status, b.status), cmp.Compare(a.code, b.code), cmp.Compare(a.text, b.text))
	})
}

func sources(t *testing.T) (files []*ast.File) {
	t.Helper()
	visit := func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	}
	for _, root := range []string{"../../core", "..", "../../wasm/ops/ops.go"} { // of wasm/ops only InvalidJSON is the API's
		if err := filepath.WalkDir(root, visit); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// statusOf reads a problem.Kind or the name of an HTTP status, and is empty for any other expression. A kind that is a variable is
// that of orders.ProviderMissing.
func statusOf(e ast.Expr) string {
	name := nameOf(e)
	if name == "kind" {
		return "400 or 503"
	}
	for kind, status := range statuses {
		if strings.ReplaceAll(kind.String(), "-", "") == strings.ToLower(name) {
			return strconv.Itoa(status)
		}
	}
	for status := 400; status < 600; status++ {
		if text := http.StatusText(status); text != "" && name == "Status"+strings.ReplaceAll(text, " ", "") {
			return strconv.Itoa(status)
		}
	}
	return ""
}

// textOf is a text with "…" for every part that is known at run time only.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return regexp.MustCompile(`%[a-z]`).ReplaceAllString(text, "…")
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	case *ast.CallExpr:
		if nameOf(e.Fun) == "Sprintf" {
			return textOf(e.Args[0])
		}
	}
	return "…"
}

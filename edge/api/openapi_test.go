package api

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
)

type provider struct{ psp.Provider }

func (provider) Name() string { return "{provider}" }

// TestOpenAPIRoutes compares the paths and methods of openapi.yaml with the routes. The module in oracle validates the rest.
func TestOpenAPIRoutes(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	described := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^  (/\S+):\n    (\w+):$`).FindAllStringSubmatch(string(text), -1) {
		described[m[1]] = strings.ToUpper(m[2])
	}
	served := make(map[string]string)
	for path, r := range New(Config{Providers: map[checkout.Environment]psp.Provider{"{environment}": provider{}}}).routes {
		served[path] = r.method
	}
	if !maps.Equal(described, served) {
		t.Errorf("openapi.yaml describes\n%v, the server has\n%v", slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(served)))
	}
}

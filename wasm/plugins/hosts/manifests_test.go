package hosts

import (
	"encoding/json"
	"os"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/crepe-checkout/crepe/wasm/gateway"
)

// TestManifests checks that the configurations in the files for Traefik and Dapr are valid: they only report.
func TestManifests(t *testing.T) {
	var traefik struct {
		TestData map[string]any `yaml:"testData"`
	}
	read(t, "../httpwasm/.traefik.yml", &traefik)
	text, err := json.Marshal(traefik.TestData)
	if err != nil {
		t.Fatal(err)
	}
	var dapr struct {
		Spec struct {
			Metadata []struct{ Name, Value string }
		}
	}
	read(t, "../httpwasm/dapr.yaml", &dapr)
	configs := []string{string(text)}
	for _, m := range dapr.Spec.Metadata {
		if m.Name == "guestConfig" {
			configs = append(configs, m.Value)
		}
	}
	if len(configs) != 2 {
		t.Fatalf("found %q", configs)
	}
	for _, config := range configs {
		if c, ok := gateway.ParseConfig(config); !ok || !c.ReportOnly || len(c.Paths) != 1 || c.Paths[0] != gateway.CreateOrder {
			t.Errorf("%s: %+v, %v", config, c, ok)
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

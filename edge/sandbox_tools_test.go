package main

import (
	"net/http"
	"testing"
)

// What tells or changes more than a buyer may is there in `crepe dev` only.
func TestSandboxTools(t *testing.T) {
	t.Parallel()
	for _, tools := range []bool{false, true} {
		shop := openShop(t, func(c *Config) { c.SandboxTools = tools })
		for _, path := range []string{"/sandbox/log", "/sandbox/trigger", "/sandbox/faults", "/sandbox/prod/faults"} {
			response, err := http.Get(shop.PublicURL + path)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if found := response.StatusCode != http.StatusNotFound; found != tools {
				t.Errorf("%s, tools %v: %d", path, tools, response.StatusCode)
			}
		}
	}
}

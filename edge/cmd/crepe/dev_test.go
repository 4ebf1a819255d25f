package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadLook(t *testing.T) {
	s, err := readLook("testdata/look.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.Light.Primary != "#0f5c4a" || s.Light.BorderRadius != "12px" || s.Dark.Primary != "#7fd6ae" || s.DarkMode != nil || s.Continue["de"] == "" {
		t.Errorf("%+v", s)
	}
	broken := filepath.Join(t.TempDir(), "look.json")
	if err := os.WriteFile(broken, []byte(`{"light":`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{broken, "testdata/nowhere.json"} {
		if _, err := readLook(file); err == nil {
			t.Errorf("%s is a look", file)
		}
	}
}

// TestOriginsFlag: a list with a mistake is refused at the start, by name.
func TestOriginsFlag(t *testing.T) {
	const one, two = "https://shop.example.com", "https://other.example.com:8443"
	for list, want := range map[string]int{"": 0, one: 1, one + "," + two: 2, "*": -1, one + ", " + two: -1, one + "/": -1, ",": -1} {
		origins, err := parseOrigins(list)
		if (err != nil) != (want < 0) || err == nil && len(origins) != want {
			t.Errorf("%q: %v, %v", list, origins, err)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs crepe with arguments, in this process.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = run(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), err
}

func TestTaxIDCheck(t *testing.T) {
	out, _, err := command(t, "taxid", "check", "--country", "IT", "007 431 10 157")
	if err != nil || out != "valid IT00743110157\n" {
		t.Errorf("%q, %v", out, err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"check-digit", []string{"--country", "IT", "00743110158"}},
		{"format", []string{"--country", "IT", "123"}},
		{"unsupported", []string{"--country", "AU", "51824753556"}},
		{"--country", []string{"00743110157"}},
	} {
		if _, _, err := command(t, append([]string{"taxid", "check"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

func TestTaxIDBatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ids.tsv")
	if err := os.WriteFile(file, []byte("taxId\tcountry\nDE136695976\tde\nDE136695975\tDE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := command(t, "taxid", "check", "--batch", file)
	want := `{"country":"DE","taxId":"DE136695976","valid":true,"normalized":"DE136695976"}
{"country":"DE","taxId":"DE136695975","valid":false,"reason":"check-digit"}
`
	if err != nil || out != want {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.WriteFile(file, []byte("number\tcountry\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := command(t, "taxid", "check", "--batch", file); err == nil || !strings.Contains(err.Error(), `no column "taxId"`) {
		t.Errorf("got %v", err)
	}
}

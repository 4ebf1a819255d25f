package main

import (
	"bytes"
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
		{"unsupported", []string{"--country", "JP", "7000012050002"}},
		{"--country", []string{"00743110157"}},
	} {
		if _, _, err := command(t, append([]string{"taxid", "check"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

func TestTaxIDBatch(t *testing.T) {
	out, _, err := command(t, "taxid", "check", "--batch", batchFile(t, "taxId\tcountry\tid\nDE136695976\tde\ta\nDE136695975\tDE\tb\n1\t2\t3\t4\n"))
	want := `{"line":2,"id":"a","country":"DE","taxId":"DE136695976","valid":true,"normalized":"DE136695976"}
{"line":3,"id":"b","country":"DE","taxId":"DE136695975","valid":false,"reason":"check-digit"}
{"line":4,"id":"3","country":"2","taxId":"1","valid":false,"reason":"row","problem":"Line 4 has 4 cells, but there are 3 columns"}
`
	if err == nil || !strings.Contains(err.Error(), "2 of 3 rows failed") || out != want {
		t.Errorf("%v: %s", err, out)
	}
	if out, _, err = command(t, "taxid", "check", "--batch", batchFile(t, "country,taxId\nDE,DE136695976\n")); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

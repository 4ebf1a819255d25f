package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretSources: a secret is from a file or from the environment, and what cannot be one is refused without showing it.
func TestSecretSources(t *testing.T) {
	const long = "0123456789abcdef0123456789abcdef"
	const mail = "smtp://u:hunter2@mail.example.com?from=a@b.example"
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", long+"\n", 0o400)
	for _, c := range []struct {
		name, flag, variables, want string // variables are separated by spaces
	}{
		{"none", "", "", ""},
		{"a file", good, "", long},
		{"a file of the environment", "", "CREPE_DASHBOARD_TOKEN_FILE=" + good, long},
		{"a variable", "", "CREPE_DASHBOARD_TOKEN=" + long, long},
		{"a flag and a variable", good, "CREPE_DASHBOARD_TOKEN=" + long, "!CREPE_DASHBOARD_TOKEN and --dashboard-token-file (flag) are both set"},
		{"two variables", "", "CREPE_DASHBOARD_TOKEN=" + long + " CREPE_DASHBOARD_TOKEN_FILE=" + good, "!(CREPE_DASHBOARD_TOKEN_FILE) are both set"},
		{"a short file", file("short", "hunter2", 0o600), "", "!7 characters"},
		{"a short variable", "", "CREPE_DASHBOARD_TOKEN=hunter2", "!CREPE_DASHBOARD_TOKEN: the token has 7 characters"},
		{"no file", "/nowhere/token", "", "!no such file"},
		{"an empty file", file("empty", "\n", 0o600), "", "!is empty"},
		{"a directory", dir, "", "!is not a file"},
		{"a device", "/dev/zero", "", "!is not a file"},
		{"a file of everybody", file("public", long, 0o644), "", "!chmod 600"},
		{"a file that the group can change", file("group", long, 0o660), "", "!chmod 600"},
		{"a long file", file("long", strings.Repeat("hunter2", 10<<10), 0o600), "", "!longer than any secret"},
		{"no mail server", "", "CREPE_SMTP_URL=" + strings.Replace(mail, "?from", "?form", 1), "!CREPE_SMTP_URL: the URL has"},
		{"all faults", "", "CREPE_DASHBOARD_TOKEN=hunter2 CREPE_SMTP_URL=" + strings.Replace(mail, "?from", "?form", 1) + " CREPE_RATE=2", "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for pair := range strings.FieldsSeq(c.variables) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			s := declareServe("serve", "")
			var args []string
			if c.flag != "" {
				args = []string{"--dashboard-token-file", c.flag}
			}
			err := s.parse(args, io.Discard)
			want, refused := strings.CutPrefix(c.want, "!")
			switch {
			case refused && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("%v", err)
			case !refused && (err != nil || s.DashboardToken != want):
				t.Errorf("%q, %v", s.DashboardToken, err)
			}
			if c.name == "all faults" && strings.Count(err.Error(), "\n") != 3 {
				t.Errorf("expected three faults and the advice: %v", err)
			}
		})
	}
}

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const doctorUsage = `crepe doctor examines a deployment, whether its server runs or not: settings, payment provider, webhooks, public URL, certificate, clock,
disk, limits, permissions, database, merchants, mail, backups. It prints a line for each check with ok, warning or failed and what to do, and exits
with 1 if a check has failed. It changes nothing and prints no secret.

Give it the settings of the server, and run it as the server's user: it takes the flags of crepe serve and reads its variables.

Examples:
  runuser -u crepe -- crepe doctor --config /etc/crepe/crepe.toml
  crepe doctor --config /etc/crepe/crepe.toml --json

Settings:
`

// The results of a check.
const (
	good    = "ok"
	warning = "warning"
	failed  = "failed"
)

// finding is the result of a check.
type finding struct {
	Check  string `json:"check"`
	Result string `json:"result"`
	Text   string `json:"text"`
	Do     string `json:"do,omitempty"` // what to do; "" if all is well
}

// doctorTimeout limits a request of the doctor.
const doctorTimeout = 10 * time.Second

// doctor examines a deployment.
type doctor struct {
	*serveSettings
	client   *admin.Client // nil without a database
	status   admin.Status  // zero where no server runs
	nonce    string        // of the status
	findings []finding
}

func runDoctor(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	s := declareServe("doctor", doctorUsage)
	asJSON := s.flags.Bool("json", false, "print JSON, for programs")
	err := s.parse(args, stdout, s.Check)
	if errors.Is(err, flag.ErrHelp) || s.origin == nil {
		return err
	}
	d := &doctor{serveSettings: s}
	d.examineSettings(err)
	d.examineDatabase(ctx, log)
	if d.client != nil {
		defer d.client.Close()
	}
	for _, examine := range []func(context.Context){d.examineAccounts, d.examinePermissions, d.examineDisk, d.examineOpenFiles, d.examineProviders,
		d.examineClock, d.examinePublicURL, d.examineMail, d.examineBackups} {
		examine(ctx)
	}
	if err := d.print(stdout, *asJSON); err != nil {
		return err
	}
	if n := d.count(failed); n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(d.findings))
	}
	return nil
}

func (d *doctor) ok(check, format string, args ...any) {
	d.findings = append(d.findings, finding{Check: check, Result: good, Text: fmt.Sprintf(format, args...)})
}

// warn and fail add a finding. The text is what is wrong, do is what to do about it.
func (d *doctor) warn(check, do, format string, args ...any) {
	d.findings = append(d.findings, finding{check, warning, fmt.Sprintf(format, args...), do})
}

func (d *doctor) fail(check, do, format string, args ...any) {
	d.findings = append(d.findings, finding{check, failed, fmt.Sprintf(format, args...), do})
}

func (d *doctor) count(result string) (n int) {
	for _, f := range d.findings {
		if f.Result == result {
			n++
		}
	}
	return n
}

func (d *doctor) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"checks": d.findings})
	}
	text := new(strings.Builder)
	for _, f := range d.findings {
		line := f.Text
		if f.Do != "" {
			line += " → " + f.Do
		}
		fmt.Fprintf(text, "%-8s %-12s %s\n", f.Result, f.Check, strings.ReplaceAll(line, "\n", "; "))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// examineSettings reports each fault of the settings.
func (d *doctor) examineSettings(faults error) {
	if faults == nil {
		d.ok("settings", "%d are set, all are valid", len(d.origin))
		return
	}
	for line := range strings.Lines(faults.Error()) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, "lists the settings") {
			d.fail("settings", "correct it; crepe config print shows where each setting is from", "%s", line)
		}
	}
}

// url is the public URL.
func (d *doctor) url() string {
	return strings.TrimRight(cmp.Or(d.PublicURL, d.status.PublicURL, "http://"+d.Listen), "/")
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// accounts are the environments that have a Stripe account.
func (d *doctor) accounts() []string {
	var envs []string
	for env := range d.Stripe {
		envs = append(envs, string(env))
	}
	slices.Sort(envs)
	return envs
}

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"github.com/goccy/go-json"
	"github.com/pelletier/go-toml/v2"
)

const configUsage = `crepe config shows and checks the settings of crepe serve. It takes the flags of crepe serve and reads its variables.

Usage:
  crepe config print [--config FILE] [--json]    prints every setting and where it is from; secrets only as set or not set
  crepe config validate [--config FILE]          lists all faults; exits with 1 if there is one

Examples:
  crepe config print >crepe.toml
      Makes a file for --config from what is set now. What is a default is commented out.
  crepe config validate --config /etc/crepe/crepe.toml && systemctl restart crepe
`

// configCommands are the commands of crepe config.
var configCommands = map[string]commandFunc{
	"print":    configPrint,
	"validate": configValidate,
}

// configValidate lists the faults of the settings, also those that a start would find.
func configValidate(_ context.Context, args []string, stdout, _ io.Writer, _ *slog.Logger) error {
	s := declareServe("config validate", configUsage+"\nSettings:\n")
	if err := s.parse(args, stdout, s.Check); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, "The settings are valid.")
	return err
}

// configPrint prints the settings.
func configPrint(_ context.Context, args []string, stdout, _ io.Writer, _ *slog.Logger) error {
	s := declareServe("config print", configUsage+"\nSettings:\n")
	asJSON := s.flags.Bool("json", false, "print JSON, for programs")
	if err := s.parse(args, stdout); err != nil {
		return err
	}
	settings, err := s.effective()
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"settings": settings})
	}
	return printTOML(stdout, settings)
}

// effectiveSetting is the value of a setting, and where it is from.
type effectiveSetting struct {
	Name   string      `json:"name"`
	Value  any         `json:"value"`            // of a secret: the file; "" where a variable has it
	Secret secretState `json:"secret,omitempty"` // "" for what is no secret
	Origin string      `json:"origin"`           // "flag", "default", a variable, or file:line
	help   string
}

// effective returns the settings in the order of their names.
func (s *serveSettings) effective() ([]effectiveSetting, error) {
	var settings []effectiveSetting
	for _, name := range settingNames(s.flags) {
		f := s.flags.Lookup(name)
		_, help := flag.UnquoteUsage(f)
		e := effectiveSetting{Name: name, Origin: s.origin[name], help: help}
		if e.Origin == "" {
			e.Origin = "default"
		}
		if secret, ok := f.Value.(secretFlag); ok {
			e.Secret = secret.status()
		}
		var err error
		if e.Value, err = fileValue(f); err != nil {
			return nil, err
		}
		settings = append(settings, e)
	}
	return settings, nil
}

// fileValue is a flag's value as a configuration file has it. A password is left out.
func fileValue(f *flag.Flag) (any, error) {
	text := f.Value.String()
	switch formOf(f.Value) {
	case asBool:
		return strconv.ParseBool(text)
	case asNumber:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n, nil
		}
	case asList:
		if text == "" {
			return []string{}, nil
		}
		return strings.Split(text, ","), nil
	}
	if u, err := url.Parse(text); err == nil && u.User != nil {
		u.User = url.User(u.User.Username())
		return u.String(), nil
	}
	return text, nil
}

// printTOML prints settings as a configuration file in which the defaults are commented out.
func printTOML(w io.Writer, settings []effectiveSetting) error {
	text := new(strings.Builder)
	text.WriteString("# Settings of crepe serve, each with where it is from. Secrets are not shown.\n")
	for _, e := range settings {
		line, err := toml.Marshal(map[string]any{e.Name: e.Value})
		if err != nil {
			return err
		}
		off := "#"
		if e.Origin != "default" && (e.Secret == "" || e.Value != "") {
			off = ""
		}
		fmt.Fprintf(text, "\n# %s\n%s%s  # %s", e.help, off, strings.TrimSpace(string(line)), e.Origin)
		if e.Secret != "" {
			fmt.Fprintf(text, ", %s", e.Secret)
		}
		text.WriteString("\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// fileSetting is a setting of a configuration file.
type fileSetting struct {
	value any
	where string // file:line
}

// readConfigFile reads the settings of a TOML file by their keys.
func readConfigFile(file string) (map[string]fileSetting, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as some editors write it
	values := make(map[string]any)
	if err := toml.Unmarshal(text, &values); err != nil {
		if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := syntax.Position()
			return nil, fmt.Errorf("%s:%d:%d: %w", file, line, column, syntax)
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lines := keyLines(text)
	settings := make(map[string]fileSetting)
	for key, value := range values {
		settings[key] = fileSetting{value, fmt.Sprintf("%s:%d", file, lines[key])}
	}
	return settings, nil
}

// keyLines returns the line of each top-level key of a valid TOML text.
func keyLines(text []byte) map[string]int {
	lines := make(map[string]int)
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		keys := p.Expression().Key()
		if !keys.Next() {
			continue
		}
		key := string(keys.Node().Data)
		if lines[key] == 0 {
			lines[key] = p.Shape(keys.Node().Raw).Start.Line
		}
		if kind := p.Expression().Kind; kind == unstable.Table || kind == unstable.ArrayTable {
			break // what follows are keys of tables
		}
	}
	return lines
}

// checkKeys refuses keys that are no flags. The nearest flag is most likely meant.
func checkKeys(f *flag.FlagSet, settings map[string]fileSetting) error {
	known := settingNames(f)
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		where := settings[key].where
		switch {
		case key == "config":
			errs = append(errs, fmt.Errorf("%s: config cannot be set in the file itself", where))
		case slices.Contains(known, key):
		case f.Lookup(key+fileSuffix) != nil:
			errs = append(errs, fmt.Errorf("%s: %s is a secret and not kept here: %[2]s%[3]s names a file of it, or %[4]s has it", where, key, fileSuffix, variable(key)))
		default:
			errs = append(errs, fmt.Errorf("%s: there is no setting %q; did you mean %s?", where, key, nearest(key, known)))
		}
	}
	return errors.Join(errs...)
}

// setFromFile sets a flag from a setting of a file.
func setFromFile(f *flag.FlagSet, name string, s fileSetting) error {
	text, err := s.text(formOf(f.Lookup(name).Value))
	if err == nil {
		err = f.Set(name, text)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", s.where, name, err)
	}
	return nil
}

// form is how a flag's value is written in a configuration file.
type form string

const (
	asString form = "a string"
	asNumber form = "a number"
	asBool   form = "true or false"
	asList   form = "a list of strings"
)

func formOf(v flag.Value) form {
	getter, ok := v.(flag.Getter)
	if !ok {
		return asString
	}
	switch getter.Get().(type) {
	case bool:
		return asBool
	case int, int64, uint, uint64, float64:
		return asNumber
	case []string, []netip.Prefix:
		return asList
	}
	return asString
}

// text is the value as a flag's text. A number can be a string, too, for "off".
func (s fileSetting) text(as form) (string, error) {
	switch v := s.value.(type) {
	case string:
		if as != asBool {
			return v, nil
		}
	case bool:
		if as == asBool {
			return strconv.FormatBool(v), nil
		}
	case int64:
		if as == asNumber {
			return strconv.FormatInt(v, 10), nil
		}
	case float64:
		if as == asNumber {
			return strconv.FormatFloat(v, 'f', -1, 64), nil
		}
	case []any:
		if as == asList {
			return joinStrings(v)
		}
	}
	return "", fmt.Errorf("expected %s, found %s", as, found(s.value))
}

// joinStrings joins a list as a flag has it.
func joinStrings(list []any) (string, error) {
	texts := make([]string, len(list))
	for i, item := range list {
		text, ok := item.(string)
		if !ok || strings.Contains(text, ",") {
			return "", fmt.Errorf("item %d is not a string without a comma", i+1)
		}
		texts[i] = text
	}
	return strings.Join(texts, ","), nil
}

// found names the type of a TOML value.
func found(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case time.Time, toml.LocalDate, toml.LocalDateTime, toml.LocalTime:
		return "a time; write it as a string"
	}
	return "something else"
}

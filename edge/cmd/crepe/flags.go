package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// newFlags returns the flags of a command. Its help is usage, followed by the list of flags.
func newFlags(command, usage string) *flag.FlagSet {
	f := flag.NewFlagSet("crepe "+command, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	return f
}

// parse parses flags and refuses arguments after them. --help prints the help to stdout and returns [flag.ErrHelp].
func parse(f *flag.FlagSet, args []string, stdout io.Writer) error {
	if err := parseFlags(f, args, stdout); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return misuse(f, "unexpected argument %q", f.Arg(0))
	}
	return nil
}

// parseFlags is parse for a command that takes arguments.
func parseFlags(f *flag.FlagSet, args []string, stdout io.Writer) error {
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stdout)
		f.Usage()
		return err
	case err != nil:
		return misuse(f, "%w", err)
	}
	return nil
}

// misuse returns the error for a wrong command line: what is wrong, and how to get help.
func misuse(f *flag.FlagSet, format string, args ...any) error {
	return fmt.Errorf(format+"\n%s --help lists the settings", append(args, f.Name())...)
}

// origins tell where the values of flags are from, by name: "flag", a variable, or file:line. A default has none.
type origins map[string]string

// parseSettings is parse where every flag is also an environment variable and a key of the file that --config names. A flag takes
// precedence over the variable, and the variable over the file. An empty variable counts as not set. An unknown key, and an unknown
// variable with the prefix CREPE_, are refused: they are most likely typing errors. The error lists all faults, those of check included,
// which is called when everything is set.
// The origins are nil only if the command line is wrong.
func parseSettings(f *flag.FlagSet, args []string, stdout io.Writer, check func() error) (origins, error) {
	config := configFlag(f)
	if err := parse(f, args, stdout); err != nil {
		return nil, err
	}
	origin, err := load(f, config, settingNames(f), checkKeys)
	if err = errors.Join(checkVariables(f), err, check()); err != nil {
		return origin, misuse(f, "%w", err)
	}
	return origin, nil
}

// loadSome sets some of the flags as parseSettings does, for a command that needs no other setting of the server. Those that it does not
// have are left out.
func loadSome(f *flag.FlagSet, config *string, names ...string) error {
	names = slices.DeleteFunc(names, func(name string) bool { return f.Lookup(name) == nil })
	_, err := load(f, config, names, func(*flag.FlagSet, map[string]fileSetting) error { return nil })
	if err != nil {
		return misuse(f, "%w", err)
	}
	return nil
}

func configFlag(f *flag.FlagSet) *string {
	return f.String("config", "", "`file` of settings (.toml), whose keys are the names of the flags of crepe serve; default: none (CREPE_CONFIG)")
}

// settingNames returns the names of the flags that are settings of a server.
func settingNames(f *flag.FlagSet) (names []string) {
	f.VisitAll(func(setting *flag.Flag) {
		if setting.Name != "config" && setting.Name != "json" {
			names = append(names, setting.Name)
		}
	})
	return names
}

// checkVariables refuses variables that set nothing.
func checkVariables(f *flag.FlagSet) error {
	known := []string{variable("config")}
	for _, name := range settingNames(f) {
		known = append(known, variable(name))
		if _, ok := f.Lookup(name).Value.(secretFlag); ok {
			known = append(known, variable(strings.TrimSuffix(name, fileSuffix)))
		}
	}
	for _, name := range secretNames {
		known = append(known, variable(name), variable(name+fileSuffix))
	}
	var errs []error
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "CREPE_") && !slices.Contains(known, name) && !fromKubernetes(name) {
			errs = append(errs, fmt.Errorf("there is no setting %s; did you mean %s?", name, nearest(name, known)))
		}
	}
	return errors.Join(errs...)
}

// load sets those of the named flags that the command line has not set: from the environment, and then from the file of --config, whose
// keys check accepts. It sets the secrets last. The error lists all faults.
func load(f *flag.FlagSet, config *string, names []string, check func(*flag.FlagSet, map[string]fileSetting) error) (origins, error) {
	origin := make(origins)
	f.Visit(func(setting *flag.Flag) { origin[setting.Name] = "flag" })
	var errs []error
	for _, name := range append(names, "config") {
		if origin[name] == "" && os.Getenv(variable(name)) != "" {
			origin[name] = variable(name)
			errs = append(errs, setFromEnvironment(f, name))
		}
	}
	if *config != "" {
		errs = append(errs, loadFile(f, *config, names, origin, check))
	}
	return origin, errors.Join(append(errs, setSecrets(f, names, origin))...)
}

// loadFile sets those of the named flags that have no origin from a configuration file.
func loadFile(f *flag.FlagSet, file string, names []string, origin origins, check func(*flag.FlagSet, map[string]fileSetting) error) error {
	settings, err := readConfigFile(file)
	if err != nil {
		return err
	}
	errs := []error{check(f, settings)}
	for _, name := range names {
		if s, ok := settings[name]; ok && origin[name] == "" {
			origin[name] = s.where
			errs = append(errs, setFromFile(f, name, s))
		}
	}
	return errors.Join(errs...)
}

// setFromEnvironment sets a flag from its environment variable.
func setFromEnvironment(f *flag.FlagSet, name string) error {
	value := os.Getenv(variable(name))
	if err := f.Set(name, value); err != nil {
		return fmt.Errorf("%s=%q: %w", variable(name), value, err)
	}
	return nil
}

// variable returns the name of a flag's environment variable.
func variable(name string) string {
	return "CREPE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// fromKubernetes reports whether Kubernetes sets the variable in every pod beside a Service named crepe.
func fromKubernetes(name string) bool {
	return strings.HasPrefix(name, "CREPE_SERVICE_") || name == "CREPE_PORT" || strings.HasPrefix(name, "CREPE_PORT_")
}

// nearest returns the name with the smallest edit distance.
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return editDistance(name, a) - editDistance(name, b) })
}

// editDistance returns the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

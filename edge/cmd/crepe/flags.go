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

// parseWithEnvironment is parse where every flag is also an environment variable. A flag takes precedence, and an empty variable
// counts as not set. An unknown variable with the prefix CREPE_ is refused: it is most likely a typing error.
func parseWithEnvironment(f *flag.FlagSet, args []string, stdout io.Writer) error {
	known := slices.Clone(secretVariables)
	f.VisitAll(func(setting *flag.Flag) { known = append(known, variable(setting.Name)) })
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "CREPE_") && !slices.Contains(known, name) && !fromKubernetes(name) {
			return misuse(f, "there is no setting %s; did you mean %s?", name, nearest(name, known))
		}
	}
	var err error
	f.VisitAll(func(setting *flag.Flag) { err = errors.Join(err, setFromEnvironment(f, setting.Name)) })
	if err != nil {
		return misuse(f, "%w", err)
	}
	if err := parse(f, args, stdout); err != nil {
		return err
	}
	if f.Lookup("data").Value.String() == "" { // would be the working directory, which --fresh would clear
		return misuse(f, "--data names no directory")
	}
	return nil
}

// setFromEnvironment sets a flag from its environment variable, if that is set.
func setFromEnvironment(f *flag.FlagSet, name string) error {
	value := os.Getenv(variable(name))
	if value == "" {
		return nil
	}
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

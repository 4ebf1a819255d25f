package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/server"
)

// Default data directories.
const (
	serveData = "crepe-data"
	devData   = ".crepe"
)

// operation is a command that an operator runs on a data directory.
type operation struct {
	flags  *flag.FlagSet
	data   *string // nil for a command that opens none
	store  *storeSetting
	config *string
	key    []byte // of an encrypted database
	json   *bool
	stdout io.Writer
	log    *slog.Logger
}

func newOperation(command, usage string, stdout io.Writer, log *slog.Logger) *operation {
	f := newFlags(command, usage)
	o := &operation{flags: f, data: f.String("data", serveData, "data `directory` of the server, whether it runs or not (CREPE_DATA)"),
		store: storeFlag(f), config: configFlag(f), json: f.Bool("json", false, "print JSON, for programs"), stdout: stdout, log: log}
	encryptionKey(f, &o.key)
	return o
}

// parse parses flags, before and after the arguments that it returns.
func (o *operation) parse(args []string) (arguments []string, err error) {
	for {
		if err := parseFlags(o.flags, args, o.stdout); err != nil {
			return nil, err
		}
		if o.flags.NArg() == 0 {
			names := []string{"data", "store", "store-password-file", "encryption-key-file"}
			if o.data == nil {
				names = names[1:]
			}
			return arguments, errors.Join(loadSome(o.flags, o.config, names...), o.store.check())
		}
		arguments, args = append(arguments, o.flags.Arg(0)), o.flags.Args()[1:]
	}
}

// with parses the flags, refuses arguments and calls do with a client of the data directory.
func (o *operation) with(args []string, do func(*admin.Client) error) error {
	if err := o.parseFlags(args); err != nil {
		return err
	}
	return o.open(do)
}

// parseFlags parses the flags and refuses arguments.
func (o *operation) parseFlags(args []string) error {
	arguments, err := o.parse(args)
	if err == nil && len(arguments) > 0 {
		err = misuse(o.flags, "unexpected argument %q", arguments[0])
	}
	return err
}

// open calls do with a client of the data directory.
func (o *operation) open(do func(*admin.Client) error) error {
	if err := o.checkDefault(); err != nil {
		return err
	}
	client, err := server.OpenAdmin(*o.data, o.store.url, o.key, o.log)
	if err != nil {
		return err
	}
	return errors.Join(do(client), client.Close())
}

// checkDefault refuses the default directory where only that of crepe dev exists, so that the error names the other directory.
func (o *operation) checkDefault() error {
	if *o.data != serveData || o.store.url != "" {
		return nil
	}
	if _, err := os.Stat(serveData); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(devData); err != nil {
		return nil
	}
	return fmt.Errorf("there is no %s here; --data %s names the directory of crepe dev", serveData, devData)
}

// all reads every page of a list, in both environments if environment is "".
func all[T any](c *admin.Client, path, environment string) ([]T, error) {
	return pagesOf[T](c, path, environment, 0, func(env, after string) any { return admin.ListRequest{Environment: env, After: after} })
}

// pagesOf is all for a list whose request ask makes. It reads no further page after limit entries of an environment; 0 is no limit.
func pagesOf[T any](c *admin.Client, path, environment string, limit int, ask func(env, after string) any) ([]T, error) {
	items := []T{}
	envs := []string{"test", "prod"}
	if environment != "" {
		envs = []string{environment}
	}
	for _, env := range envs {
		for after, read := "", 0; ; {
			page, err := admin.Perform[admin.List[T]](c, path, ask(env, after))
			if err != nil {
				return nil, err
			}
			items = append(items, page.Items...)
			read += len(page.Items)
			if after = page.Next; after == "" || limit > 0 && read >= limit {
				break
			}
		}
	}
	return items, nil
}

// printJSON prints indented JSON.
func (o *operation) printJSON(answer any) error {
	e := json.NewEncoder(o.stdout)
	e.SetIndent("", "  ")
	return e.Encode(answer)
}

// printTable prints rows under their header. Cells may contain text of others, so characters that control a terminal are replaced.
func (o *operation) printTable(header string, rows [][]string) {
	w := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	for _, row := range slices.Insert(rows, 0, strings.Fields(header)) {
		for i, cell := range row {
			if row[i] = visibleText(cell); cell == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
}

// visibleText replaces the characters of a text that cannot be printed.
func visibleText(text string) string { return strings.Map(visible, text) }

// dataFlag is the flag that names the data directory in a further command, with a space in front; "" for the default.
func dataFlag(data string) string {
	if data == serveData {
		return ""
	}
	if strings.ContainsFunc(data, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-", r)
	}) {
		data = "'" + strings.ReplaceAll(data, "'", `'\''`) + "'"
	}
	return " --data " + data
}

// visible replaces a character that cannot be printed.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// when formats a time for a table; "" for nil.
func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04Z")
}

// print returns err if it is not nil, and otherwise prints an answer as JSON or as text.
func (o *operation) print(answer any, err error, text func()) error {
	switch {
	case err != nil:
		return err
	case *o.json:
		return o.printJSON(answer)
	}
	text()
	return nil
}

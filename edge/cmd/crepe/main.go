package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

const usage = `crepe is a checkout server. It turns checkout sessions into paid orders.

Usage:
  crepe dev [--config FILE] [--listen ADDR] [--data DIR] [--fresh] [--origins LIST]
  crepe serve [--config FILE] [--listen ADDR] [--data DIR] [--public-url URL] [--sandbox]
  crepe sandbox [--listen ADDR] [--data DIR] [--public-url URL] [--webhook-url URL]

  crepe merchant create --name NAME | list [--data DIR] [--json]
  crepe key create --env ENV | list | rotate APIKEY_ID | revoke APIKEY_ID [--data DIR] [--json]
  crepe store create --name NAME | list | set STO_ID [SETTINGS] [--data DIR] [--json]
  crepe plugin check | run | upload RULE.wasm [SETTINGS] [--data DIR] [--json]
  crepe plugin publish | unpublish | list | remove --store-id STO_ID [--version N] [--env ENV] [--data DIR] [--json]

  crepe orders quarantine | refund-due | vat-checks [--data DIR] [--env ENV] [--handled ID] [--json]
  crepe refund list | approve TICKET_ID | reject TICKET_ID | create PAYMENT_ID [--data DIR] [--env ENV] [--json]
  crepe webhook list | deliveries | resend ID | test ID | key | listen [--data DIR] [--env ENV] [--json]
  crepe report tax --from DAY --to DAY [--data DIR] [--env ENV] [--store-id ID] [--csv | --json]
  crepe erase --buyer EMAIL [--dry-run] | --list | --compact [--data DIR] [--env ENV] [--store-id ID] [--json]
  crepe token-key list | rotate | revoke KEY_ID [--data DIR] [--env ENV] [--json]

  crepe config print | validate [--config FILE] [--json]
  crepe doctor [--config FILE] [--json]
  crepe ready [--listen ADDR]
  crepe verify-page URL [--quiet] [--json] | --inventory

  crepe backup DIR [--full] [--keep DAYS] | drill DIR [--data DIR] [--json]
  crepe restore DIR --data NEW_DIR [--to TIME] [--json]
  crepe verify DIR [--json]
  crepe repair [--data DIR] [--accept-loss]
  crepe rekey --data DIR [--encryption-key-file OLD] [--new-encryption-key-file NEW] [--to DIR]
  crepe migrate up | status --store postgres://USER@HOST/DATABASE
  crepe migrate status --data DIR
  crepe migrate badger-to-postgres | postgres-to-badger --data DIR --store URL [--verify]

  crepe quote --country CC --amount AMOUNT --currency CUR [--explain] [--json]
  crepe taxid check --country CC NUMBER
  crepe trigger [--data DIR] [--env ENV] [--fault FAULT] EVENT ORDER
  crepe version

Examples:
  crepe dev
      Runs everything on this machine, with a demo merchant and a sandbox provider. Prints the page to open.
  CREPE_STRIPE_KEY=sk_live_… CREPE_STRIPE_WEBHOOK_SECRET=whsec_… crepe serve --public-url https://pay.example.com
      Runs in production, with Stripe. CREPE_STRIPE_TEST_KEY and CREPE_STRIPE_TEST_WEBHOOK_SECRET add the test
      environment; with --sandbox the sandbox provider serves it. Stripe's webhooks go to /v1/webhooks/stripe/prod and /v1/webhooks/stripe/test.
  crepe serve --store postgres://crepe@db.example.com/crepe --public-url https://pay.example.com
      Runs one of several servers on one database. "crepe migrate up" makes its tables.
  crepe merchant create --name "Acme Ltd" && crepe key create --env test
      Creates a merchant and a key, on a running server or on a stopped one. Prints what the SDK needs.
  crepe doctor --config /etc/crepe/crepe.toml
      Checks a deployment: provider, webhooks, public URL, certificate, clock, disk, limits, permissions, database.
  crepe backup /mnt/backups --data crepe-data
      Backs up the database, of a running server or a stopped one; incrementally if it can.
  crepe repair --data crepe-data
      Checks the databases of a stopped server and repairs them where no data is lost.
  crepe quote --country DE --category saas --amount 29.00 --currency EUR --explain
      Prints the tax on a sale, with every rule that applied.
  crepe trigger checkout.session.expired ORD_…
      Makes the sandbox of a running "crepe dev" report an event for an order.

crepe COMMAND --help lists a command's settings.
`

// memoryLimit is the garbage collector's soft limit unless GOMEMLIMIT is set. Flushes and compactions produce much garbage; with
// half of this limit the collector would use most of the processor under load.
const memoryLimit = 512 << 20

func main() {
	keepFilesPrivate()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the process; the database survives that
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run runs the command that args name. It returns when the command is done or ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(stdout, usage)
		return nil
	}
	do, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("crepe: unknown command %q; \"crepe help\" lists them", args[0])
	}
	err := do(ctx, args[1:], stdout, stderr, newLog(stderr, logSettings{}))
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		err = fmt.Errorf("crepe %s: %w", args[0], err)
	}
	return err
}

// commandFunc runs a command.
type commandFunc func(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error

var commands = map[string]commandFunc{
	"dev":       dev,
	"serve":     serve,
	"sandbox":   runSandbox,
	"migrate":   migrate,
	"backup":    backup,
	"restore":   restore,
	"verify":    verify,
	"repair":    repair,
	"rekey":     rekey,
	"orders":    group("orders", ordersUsage, ordersCommands),
	"refund":    group("refund", refundUsage, refundCommands),
	"merchant":  group("merchant", merchantUsage, merchantCommands),
	"key":       group("key", keyUsage, keyCommands),
	"store":     group("store", storeUsage, storeCommands),
	"plugin":    group("plugin", pluginUsage, pluginCommands),
	"token-key": group("token-key", tokenKeyUsage, tokenKeyCommands),
	"erase":     erase,
	"report":    group("report", reportUsage, reportCommands),
	"webhook":   group("webhook", webhookUsage, webhookCommands),
	"trigger":   offline(trigger),
	"quote":     quote,
	"taxid":     taxID,
	"ready":     offline(ready),
	"version":   offline(version),
	"doctor":    runDoctor,
	"config":    group("config", configUsage, configCommands),

	"verify-page": verifyPage,
}

// offline adapts a command that needs neither a context nor a log.
func offline(do func(args []string, stdout io.Writer) error) commandFunc {
	return func(_ context.Context, args []string, stdout, _ io.Writer, _ *slog.Logger) error {
		return do(args, stdout)
	}
}

// group returns a command with subcommands.
func group(name, usage string, commands map[string]commandFunc) commandFunc {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error {
		f := newFlags(name, usage)
		if len(args) == 0 || strings.HasPrefix(args[0], "-") {
			if err := parse(f, args, stdout); err != nil {
				return err
			}
			return misuse(f, "which of its commands? %s", names(commands))
		}
		do, ok := commands[args[0]]
		if !ok {
			return misuse(f, "unknown command %q; there are %s", args[0], names(commands))
		}
		return do(ctx, args[1:], stdout, stderr, log)
	}
}

// names lists the names of commands.
func names[F any](commands map[string]F) string {
	return strings.Join(slices.Sorted(maps.Keys(commands)), ", ")
}

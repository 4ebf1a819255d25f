package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const keysUsage = `crepe keys lists and changes the keys that sign session tokens. A running server uses a change at once. No command prints a
key, only its id. The server rotates the keys each month.

Usage:
  crepe keys list   [--env test|prod]
  crepe keys rotate [--env test|prod]
  crepe keys revoke KEY_ID

crepe keys COMMAND --help lists the settings.
`

const keysListUsage = `crepe keys list lists the live keys that sign session tokens, newest first in each environment.

Examples:
  crepe keys list
  crepe keys list --env prod --json

A published key will sign next, the signing key signs, and a verifying key only verifies the tokens that it has signed. The
state ends at UNTIL.

Settings:
`

const keysRotateUsage = `crepe keys rotate creates a key. It signs a minute later; tokens of the older keys stay valid until they expire. If a key was
leaked, revoke it instead.

Examples:
  crepe keys rotate
  crepe keys rotate --env prod

Settings:
`

const keysRevokeUsage = `crepe keys revoke removes a key. The server refuses its session tokens at once, and buyers who have one must start again. The
newest key is replaced by a new one first.

Example:
  crepe keys revoke KEY_5Yk2

Settings:
`

var keysCommands = map[string]commandFunc{"list": keysList, "rotate": keysRotate, "revoke": keysRevoke}

func keysList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	return showKeys(newOperation("keys list", keysListUsage, stdout, log), args, admin.ListKeys)
}

func keysRotate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	return showKeys(newOperation("keys rotate", keysRotateUsage, stdout, log), args, admin.RotateKeys)
}

// showKeys performs an operation on the keys of one or both environments and prints the keys in its answer.
func showKeys(o *operation, args []string, path string) error {
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	return o.with(args, func(c *admin.Client) error {
		return o.printKeys(admin.Perform[admin.Keys](c, path, admin.KeysRequest{Environment: *env}))
	})
}

func keysRevoke(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("keys revoke", keysRevokeUsage, stdout, log)
	ids, err := o.parse(args)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return misuse(o.flags, "the id of one key is needed; crepe keys list has them")
	}
	return o.open(func(c *admin.Client) error {
		return o.printKeys(admin.Perform[admin.Keys](c, admin.RevokeKey, admin.RevokeRequest{ID: ids[0]}))
	})
}

func (o *operation) printKeys(keys admin.Keys, err error) error {
	return o.print(keys.Items, err, func() {
		rows := [][]string{}
		for _, k := range keys.Items {
			rows = append(rows, []string{string(k.Environment), k.ID, when(&k.CreatedAt), string(k.State), when(&k.Until)})
		}
		o.printTable("ENV KEY CREATED STATE UNTIL", rows)
		fmt.Fprintln(o.stdout, "\nIf a key was leaked: crepe keys revoke KEY")
	})
}

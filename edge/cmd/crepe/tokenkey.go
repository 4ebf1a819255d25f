package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const tokenKeyUsage = `crepe token-key lists and changes the keys that sign session tokens. A running server uses a change at once. No command prints a
key, only its id. The server rotates the keys each month.

Usage:
  crepe token-key list   [--env test|prod]
  crepe token-key rotate [--env test|prod]
  crepe token-key revoke KEY_ID

crepe token-key COMMAND --help lists the settings.
`

const tokenKeyListUsage = `crepe token-key list lists the live keys that sign session tokens, newest first in each environment.

Examples:
  crepe token-key list
  crepe token-key list --env prod --json

A published key will sign next, the signing key signs, and a verifying key only verifies the tokens that it has signed. The
state ends at UNTIL.

Settings:
`

const tokenKeyRotateUsage = `crepe token-key rotate creates a key. It signs a minute later; tokens of the older keys stay valid until they expire. If a key was
leaked, revoke it instead.

Examples:
  crepe token-key rotate
  crepe token-key rotate --env prod

Settings:
`

const tokenKeyRevokeUsage = `crepe token-key revoke removes a key. The server refuses its session tokens at once, and buyers who have one must start again. The
newest key is replaced by a new one first.

Example:
  crepe token-key revoke KEY_5Yk2

Settings:
`

var tokenKeyCommands = map[string]commandFunc{"list": tokenKeyList, "rotate": tokenKeyRotate, "revoke": tokenKeyRevoke}

func tokenKeyList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	return showTokenKeys(newOperation("token-key list", tokenKeyListUsage, stdout, log), args, admin.ListTokenKeys)
}

func tokenKeyRotate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	return showTokenKeys(newOperation("token-key rotate", tokenKeyRotateUsage, stdout, log), args, admin.RotateTokenKeys)
}

// showTokenKeys performs an operation on the keys of one or both environments and prints the keys in its answer.
func showTokenKeys(o *operation, args []string, path string) error {
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	return o.with(args, func(c *admin.Client) error {
		return o.printTokenKeys(admin.Perform[admin.TokenKeys](c, path, admin.TokenKeysRequest{Environment: *env}))
	})
}

func tokenKeyRevoke(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("token-key revoke", tokenKeyRevokeUsage, stdout, log)
	ids, err := o.parse(args)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return misuse(o.flags, "the id of one key is needed; crepe token-key list has them")
	}
	return o.open(func(c *admin.Client) error {
		return o.printTokenKeys(admin.Perform[admin.TokenKeys](c, admin.RevokeTokenKey, admin.RevokeTokenKeyRequest{ID: ids[0]}))
	})
}

func (o *operation) printTokenKeys(keys admin.TokenKeys, err error) error {
	return o.print(keys.Items, err, func() {
		rows := [][]string{}
		for _, k := range keys.Items {
			rows = append(rows, []string{string(k.Environment), k.ID, when(&k.CreatedAt), string(k.State), when(&k.Until)})
		}
		o.printTable("ENV KEY CREATED STATE UNTIL", rows)
		fmt.Fprintln(o.stdout, "\nIf a key was leaked: crepe token-key revoke KEY")
	})
}

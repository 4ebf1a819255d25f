package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/crepe-checkout/crepe/edge/admin"
)

const keyUsage = `crepe key creates and ends the API keys with which a merchant's programs sign requests. A running server uses a change at
once. A key belongs to one environment, and a merchant can have several, so that a change of keys refuses no request.
The keys that sign session tokens are others: crepe token-key.

Usage:
  crepe key create --env test|prod [--merchant MER_ID] [--name NAME] [--out FILE | --public-key FILE]
  crepe key list   [--merchant MER_ID]
  crepe key rotate APIKEY_ID [--after 24h] [--out FILE | --public-key FILE]
  crepe key revoke APIKEY_ID

crepe key COMMAND --help lists the settings.
`

const keyCreateUsage = `crepe key create makes a pair of keys. The server gets the public key. The private key is printed once, or written to the file
of --out, and is not stored. With --public-key the merchant has made the pair, and no private key is made.

Examples:
  crepe key create --env test
  crepe key create --env prod --merchant MER_5Yk2 --name "shop server" --out prod.pem
  openssl genrsa -out mine.pem 2048 && openssl pkey -in mine.pem -pubout | crepe key create --env prod --public-key -

Settings:
`

const keyListUsage = `crepe key list lists the API keys of a merchant, oldest first, also those that are not accepted any more.

Examples:
  crepe key list
  crepe key list --merchant MER_5Yk2 --json

A live key is accepted, and an ending one until ENDS. An ended or revoked key is refused. Old keys leave the list when a merchant
has had more than 24.

Settings:
`

const keyRotateUsage = `crepe key rotate creates a key that takes the place of another one, in the same environment and under the same name. Both are accepted
for the time of --after: change your programs to the new key before it ends.

Examples:
  crepe key rotate APIKEY_5Yk2
  crepe key rotate APIKEY_5Yk2 --after 2h --out new.pem
  crepe key rotate APIKEY_5Yk2 --after 0
      Ends the old key at once, after a leak. Requests are refused until your programs have the new key.

Settings:
`

const keyRevokeUsage = `crepe key revoke ends an API key for good. What it signs is refused at once. Create the next key first, or use crepe key
rotate: without a live key, all requests of the merchant in that environment are refused. Session tokens that the key has had issued
stay valid, for an hour at most.

Example:
  crepe key revoke APIKEY_5Yk2

Settings:
`

var keyCommands = map[string]commandFunc{"create": keyCreate, "list": keyList, "rotate": keyRotate, "revoke": keyRevoke}

// merchantFlag declares --merchant.
func merchantFlag(o *operation, fallback string) *string {
	return o.flags.String("merchant", "", "`id` of the merchant; default: "+fallback)
}

func keyCreate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("key create", keyCreateUsage, stdout, log)
	merchant := merchantFlag(o, "the only one")
	env := o.flags.String("env", "", "`environment`, test or prod")
	name := o.flags.String("name", "", "your own `name` for the key, shown in lists")
	k := declareNewKey(o)
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *env != "test" && *env != "prod" {
		return misuse(o.flags, "--env test or --env prod is needed: a key belongs to one environment")
	}
	return o.open(func(c *admin.Client) error {
		var key admin.Key
		err := k.register(o, func() (err error) {
			key, err = admin.Perform[admin.Key](c, admin.CreateKey,
				admin.CreateKeyRequest{MerchantID: *merchant, Name: *name, Environment: *env, PublicKey: k.public})
			return err
		})
		if err != nil {
			return err
		}
		return k.show(o, key, nil)
	})
}

func keyList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("key list", keyListUsage, stdout, log)
	merchant := merchantFlag(o, "the only one")
	return o.with(args, func(c *admin.Client) error {
		keys, err := admin.Perform[admin.Keys](c, admin.ListKeys, admin.ListKeysRequest{MerchantID: *merchant})
		return o.printKeys(keys.Items, err)
	})
}

func keyRotate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("key rotate", keyRotateUsage, stdout, log)
	merchant := merchantFlag(o, "the one that has the key")
	after := o.flags.Duration("after", 24*time.Hour, "how long the old key is accepted beside the new one, a `duration`")
	k := declareNewKey(o)
	return o.withKey(args, func(c *admin.Client, id string) error {
		var rotated admin.RotatedKeys
		err := k.register(o, func() (err error) {
			rotated, err = admin.Perform[admin.RotatedKeys](c, admin.RotateKey,
				admin.RotateKeyRequest{MerchantID: *merchant, ID: id, PublicKey: k.public, After: *after})
			return err
		})
		if err != nil {
			return err
		}
		return k.show(o, rotated.New, &rotated.Old)
	})
}

func keyRevoke(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("key revoke", keyRevokeUsage, stdout, log)
	merchant := merchantFlag(o, "the one that has the key")
	return o.withKey(args, func(c *admin.Client, id string) error {
		key, err := admin.Perform[admin.Key](c, admin.RevokeKey, admin.RevokeKeyRequest{MerchantID: *merchant, ID: id})
		return o.print(key, err, func() {
			fmt.Fprintf(o.stdout, "%s of %s in %s is revoked: what it signs is refused.\n", key.ID, key.MerchantID, key.Environment)
		})
	})
}

// withKey is with for a command that takes the id of one API key.
func (o *operation) withKey(args []string, do func(*admin.Client, string) error) error {
	ids, err := o.parse(args)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return misuse(o.flags, "the id of one key is needed; crepe key list has them")
	}
	return o.open(func(c *admin.Client) error { return do(c, ids[0]) })
}

func (o *operation) printKeys(keys []admin.Key, err error) error {
	return o.print(keys, err, func() {
		rows := [][]string{}
		for _, k := range keys {
			rows = append(rows, []string{string(k.Environment), k.ID, k.Name, when(k.CreatedAt), string(k.State), when(k.EndsAt)})
		}
		o.printTable("ENV KEY NAME CREATED STATE ENDS", rows)
		if len(keys) == 0 {
			fmt.Fprintf(o.stdout, "\nThere is no key yet: crepe key create --env test%s\n", dataFlag(*o.data))
		}
	})
}

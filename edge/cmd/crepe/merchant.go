package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
)

const merchantUsage = `crepe merchant creates and lists merchants. A merchant owns stores and signs requests with API keys. It works while the
server runs and after it has stopped.

Usage:
  crepe merchant create --name NAME
  crepe merchant list

crepe merchant COMMAND --help lists the settings.
`

const merchantCreateUsage = `crepe merchant create creates a merchant. It prints what a program with the SDK needs as environment variables, in
the form of an .env file, and what to do next.

Examples:
  crepe merchant create --name "Acme Ltd"
  crepe merchant create --name "Acme Ltd" > acme.env

Settings:
`

const merchantListUsage = `crepe merchant list lists the merchants, oldest first.

Examples:
  crepe merchant list
  crepe merchant list --json

TEST KEYS and PROD KEYS count the live API keys; crepe key list shows them.

Settings:
`

var merchantCommands = map[string]commandFunc{"create": merchantCreate, "list": merchantList}

func merchantCreate(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("merchant create", merchantCreateUsage, stdout, log)
	name := o.flags.String("name", "", "the merchant's `name`; buyers do not see it")
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *name == "" {
		return misuse(o.flags, "--name is needed")
	}
	return o.open(func(c *admin.Client) error {
		made, err := admin.Perform[admin.NewMerchant](c, admin.CreateMerchant, admin.CreateMerchantRequest{Name: *name})
		return o.print(made, err, func() { o.printNewMerchant(made) })
	})
}

func (o *operation) printNewMerchant(made admin.NewMerchant) {
	baseURL := made.BaseURL
	if baseURL == "" {
		baseURL = "# the server's --public-url"
	}
	fmt.Fprintf(o.stdout, `# %s. For the SDK @waffo/pancake-ts, with baseUrl: process.env.WAFFO_BASE_URL
WAFFO_MERCHANT_ID=%s
WAFFO_BASE_URL=%s
WAFFO_WEBHOOK_TEST_PUBLIC_KEY=%s
WAFFO_WEBHOOK_PROD_PUBLIC_KEY=%s

# Next: a key to sign requests with, which prints WAFFO_PRIVATE_KEY.
#   crepe key create --env test --merchant %s%s
`, visibleText(made.Merchant.Name), made.Merchant.ID, baseURL, made.WebhookPublicKeys[checkout.Test], made.WebhookPublicKeys[checkout.Prod],
		made.Merchant.ID, dataFlag(*o.data))
}

func merchantList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("merchant list", merchantListUsage, stdout, log)
	return o.with(args, func(c *admin.Client) error {
		merchants, err := allMerchants(c)
		return o.print(merchants, err, func() {
			rows := [][]string{}
			for _, m := range merchants {
				rows = append(rows, []string{m.ID, m.Name, when(&m.CreatedAt), strconv.Itoa(m.LiveKeys[checkout.Test]), strconv.Itoa(m.LiveKeys[checkout.Prod])})
			}
			o.printTable("MERCHANT NAME CREATED TEST_KEYS PROD_KEYS", rows)
			if len(merchants) == 0 {
				fmt.Fprintf(o.stdout, "\nThere is no merchant yet: crepe merchant create --name NAME%s\n", dataFlag(*o.data))
			}
		})
	})
}

// allMerchants reads every page of the merchants.
func allMerchants(c *admin.Client) ([]admin.Merchant, error) {
	merchants := []admin.Merchant{}
	for in := (admin.ListMerchantsRequest{}); ; {
		page, err := admin.Perform[admin.List[admin.Merchant]](c, admin.ListMerchants, in)
		if err != nil {
			return nil, err
		}
		merchants = append(merchants, page.Items...)
		if in.After = page.Next; in.After == "" {
			return merchants, nil
		}
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/notify"
)

const webhookUsage = `crepe webhook shows what merchants' servers are told, and tells it again. Merchants add their endpoints through the API.

Usage:
  crepe webhook list       [--env test|prod]
  crepe webhook deliveries [--env test|prod] [--store-id STORE_ID]
  crepe webhook resend     DELIVERY_ID
  crepe webhook test       ENDPOINT_ID
  crepe webhook key        [--env test|prod]
  crepe webhook listen     [--listen ADDR]

crepe webhook COMMAND --help lists the settings.
`

const webhookListUsage = `crepe webhook list lists the webhook endpoints of all stores. Of a URL it prints the host: the rest may hold a secret, and
--json prints it.

Examples:
  crepe webhook list
  crepe webhook list --env prod --json

Settings:
`

const webhookDeliveriesUsage = `crepe webhook deliveries lists the deliveries of all stores that have failed, or all deliveries of a store, the newest first. A
delivery that is not answered with a 2xx is sent again 1, 5 and 25 minutes after the first time, and has failed then. Deliveries
are kept for 30 days.

Examples:
  crepe webhook deliveries
  crepe webhook deliveries --store-id STO_2aUy --json
      With every try: when, how long, the status and the beginning of the answer.

Settings:
`

const webhookResendUsage = `crepe webhook resend sends a delivery again, whatever became of it: the same body under a header of now, and again 1, 5 and 25
minutes later if it is not taken. A stopped server sends it when it starts.

Example:
  crepe webhook resend 019acbfa-1f00-7000-8000-000000000001

Settings:
`

const webhookTestUsage = `crepe webhook test sends an event of the type webhook.test to an endpoint, whatever it has subscribed to. It is about no order.
crepe webhook deliveries --store-id STORE_ID shows what the endpoint answered.

Example:
  crepe webhook test 11111111-2222-4333-8444-555555555555

Settings:
`

const webhookKeyUsage = `crepe webhook key prints the public keys that verify X-Waffo-Signature, one for each environment. They never change. A merchant
configures them as webhookPublicKey of the SDK, or as WAFFO_WEBHOOK_TEST_PUBLIC_KEY and WAFFO_WEBHOOK_PROD_PUBLIC_KEY.

Examples:
  crepe webhook key
  crepe webhook key --env prod > webhook.pem

Settings:
`

var webhookCommands = map[string]commandFunc{"list": webhookList, "deliveries": webhookDeliveries, "resend": webhookResend, "test": webhookTest,
	"key": webhookKey, "listen": webhookListen}

func webhookList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("webhook list", webhookListUsage, stdout, log)
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	return o.with(args, func(c *admin.Client) error {
		items, err := all[admin.Endpoint](c, admin.ListEndpoints, *env)
		return o.print(items, err, func() {
			rows := [][]string{}
			for _, e := range items {
				rows = append(rows, []string{string(e.Environment), e.ID, e.StoreID, e.Host(), strings.Join(e.Events, ",")})
			}
			if len(rows) == 0 {
				fmt.Fprintln(o.stdout, "There is no endpoint yet. A merchant's program adds one with the SDK's client.webhooks.add.")
				return
			}
			o.printTable("ENV ENDPOINT STORE HOST EVENTS", rows)
			fmt.Fprintln(o.stdout, "\nTo send an endpoint a test event: crepe webhook test ENDPOINT")
		})
	})
}

func webhookDeliveries(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("webhook deliveries", webhookDeliveriesUsage, stdout, log)
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	store := o.flags.String("store-id", "", "`id` of a store, for all of its deliveries; default: the failed ones of all stores")
	return o.with(args, func(c *admin.Client) error {
		items, err := pagesOf[admin.Delivery](c, admin.ListDeliveries, *env, maxDeliveries, func(env, after string) any {
			return admin.DeliveriesRequest{Environment: env, StoreID: *store, After: after}
		})
		return o.print(items, err, func() {
			rows := [][]string{}
			for _, d := range items {
				rows = append(rows, []string{when(d.At), string(d.Environment), d.ID, d.EventType, d.EventID, string(d.State),
					strconv.Itoa(len(d.Tries)), lastTry(d.Tries)})
			}
			switch {
			case len(rows) == 0 && *store != "":
				fmt.Fprintln(o.stdout, "Nothing has been sent or waits to be.")
				return
			case len(rows) == 0:
				fmt.Fprintln(o.stdout, "No delivery has failed. --store-id STO_… lists all of a store; crepe store list has the ids.")
				return
			}
			o.printTable("AT ENV DELIVERY EVENT ID STATE TRIES LAST", rows)
			fmt.Fprintln(o.stdout, "\nTo send one again: crepe webhook resend DELIVERY")
		})
	})
}

// maxDeliveries is about how many deliveries of an environment are listed.
const maxDeliveries = 1000

// lastTry is what came of the last try.
func lastTry(tries []admin.Try) string {
	switch {
	case len(tries) == 0:
		return ""
	case tries[len(tries)-1].Error != "":
		return tries[len(tries)-1].Error
	}
	return strconv.Itoa(tries[len(tries)-1].Status)
}

func webhookResend(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	return sendWebhook(newOperation("webhook resend", webhookResendUsage, stdout, log), args, admin.ResendDelivery,
		"the id of one delivery is needed; crepe webhook deliveries has them")
}

func webhookTest(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	return sendWebhook(newOperation("webhook test", webhookTestUsage, stdout, log), args, admin.TestEndpoint,
		"the id of one endpoint is needed; crepe webhook list has them")
}

// sendWebhook performs an operation that sends one delivery.
func sendWebhook(o *operation, args []string, path, missing string) error {
	ids, err := o.parse(args)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return misuse(o.flags, "%s", missing)
	}
	return o.open(func(c *admin.Client) error {
		d, err := admin.Perform[admin.Delivery](c, path, admin.WebhookRequest{ID: ids[0]})
		return o.print(d, err, func() {
			fmt.Fprintf(o.stdout, "%s %s is %s: crepe webhook deliveries --store-id %s shows what came of it\n", d.EventType, d.ID, notify.Pending, d.StoreID)
		})
	})
}

func webhookKey(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("webhook key", webhookKeyUsage, stdout, log)
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	return o.with(args, func(c *admin.Client) error {
		keys, err := admin.Perform[admin.PublicKeys](c, admin.WebhookKeys, admin.PublicKeysRequest{Environment: *env})
		return o.print(keys.Items, err, func() {
			for _, k := range keys.Items {
				if *env == "" {
					fmt.Fprintf(o.stdout, "%s\n", k.Environment)
				}
				fmt.Fprint(o.stdout, k.PublicKey)
			}
		})
	})
}

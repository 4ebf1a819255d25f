package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// gauges are the metrics. Each has a value for each environment.
var gauges = []struct {
	name, help string
	value      func(*counts) int
}{
	{"crepe_quarantined", "Payment events in quarantine that nobody has handled.", func(c *counts) int { return c.Quarantined }},
	{"crepe_refund_due", "Orders paid more than once whose refund nobody has handled.", func(c *counts) int { return c.RefundDue }},
	{"crepe_webhook_deliveries_pending", "Deliveries to merchants' webhook endpoints that are still to be sent.", func(c *counts) int { return c.Pending }},
	{"crepe_webhook_deliveries_failed", "Deliveries of the last 30 days that failed after all tries.", func(c *counts) int { return c.Failed }},
}

// counts are what the metrics of one environment show.
type counts struct {
	orders.Unhandled
	notify.Counts
}

func (a *Admin) count(ctx context.Context, env checkout.Environment) (*counts, error) {
	unhandled, err := a.config.Reviews.Unhandled(ctx, env)
	if err != nil {
		return nil, err
	}
	deliveries, err := a.config.Notify.Store.CountDeliveries(ctx, env)
	return &counts{unhandled, deliveries}, err
}

// metrics responds in Prometheus' text format.
func (a *Admin) metrics(ctx *fasthttp.RequestCtx) {
	text, err := a.gauges(context.Background())
	if err != nil {
		a.fail(ctx, err)
		return
	}
	ctx.SetContentType("text/plain; version=0.0.4; charset=utf-8")
	ctx.SetBodyString(text)
}

func (a *Admin) gauges(ctx context.Context) (string, error) {
	envs := []checkout.Environment{checkout.Prod, checkout.Test}
	counted := make(map[checkout.Environment]*counts)
	for _, env := range envs {
		var err error
		if counted[env], err = a.count(ctx, env); err != nil {
			return "", err
		}
	}
	var text strings.Builder
	for _, g := range gauges {
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %[1]s gauge\n", g.name, g.help)
		for _, env := range envs {
			fmt.Fprintf(&text, "%s{environment=%q} %d\n", g.name, env, g.value(counted[env]))
		}
	}
	return text.String(), nil
}

package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// gauges are the metrics. Each has a value for each environment.
var gauges = []struct {
	name, help string
	value      func(orders.Unhandled) int
}{
	{"crepe_quarantined", "Payment events in quarantine that nobody has handled.", func(u orders.Unhandled) int { return u.Quarantined }},
	{"crepe_refund_due", "Orders paid more than once whose refund nobody has handled.", func(u orders.Unhandled) int { return u.RefundDue }},
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
	unhandled := make(map[checkout.Environment]orders.Unhandled)
	for _, env := range envs {
		var err error
		if unhandled[env], err = a.config.Reviews.Unhandled(ctx, env); err != nil {
			return "", err
		}
	}
	var text strings.Builder
	for _, g := range gauges {
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %[1]s gauge\n", g.name, g.help)
		for _, env := range envs {
			fmt.Fprintf(&text, "%s{environment=%q} %d\n", g.name, env, g.value(unhandled[env]))
		}
	}
	return text.String(), nil
}

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/pprof"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/server"
)

// loopbackAccount is the account at the sandbox provider in BenchmarkLoopback and BenchmarkBudget.
var loopbackAccount = server.StripeAccount{Key: "sk_test_loopback", WebhookSecret: "whsec_loopback"}

// profiledServer, in the environment, makes this test program the server of BenchmarkBudget: the file of the profile, the data directory,
// the address and the provider's URL.
const profiledServer = "CREPE_PROFILED_SERVER"

// serveProfiled serves, and profiles from the first byte of the standard input to its end. It returns if there are no settings.
func serveProfiled(settings string) {
	if settings == "" {
		return
	}
	var file, data, address, provider string
	if _, err := fmt.Sscan(settings, &file, &data, &address, &provider); err != nil {
		panic(err)
	}
	go func() {
		panic(server.Run(context.Background(), server.Config{Listen: address, Data: data, StripeTestURL: provider,
			Stripe: map[checkout.Environment]server.StripeAccount{checkout.Test: loopbackAccount}}, slog.New(slog.DiscardHandler)))
	}()
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadByte(); err != nil {
		panic(err)
	}
	profile, err := os.Create(file)
	if err == nil {
		err = pprof.StartCPUProfile(profile)
	}
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, input)
	pprof.StopCPUProfile()
	if err := profile.Close(); err != nil {
		panic(err)
	}
	os.Exit(0)
}

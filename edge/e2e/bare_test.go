package e2e

import "github.com/valyala/fasthttp"

// bareAddress, in the environment, makes this test program the server that BenchmarkLoopback compares with.
const bareAddress = "CREPE_BARE_SERVER"

// serveBare serves at an address the response of a successful create-order, without any work. It returns if there is no address.
func serveBare(address string) {
	if address == "" {
		return
	}
	answer := []byte(`{"data":{"checkoutUrl":"http://127.0.0.1:8787/sandbox/pay/cs_test_0123456789abcdef0123456789abcdef0123456789abcdef"}}`)
	server := &fasthttp.Server{Name: "crepe", NoDefaultServerHeader: true, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.Response.Header.Set("Cache-Control", "no-store")
		ctx.Response.Header.Set("X-Content-Type-Options", "nosniff")
		ctx.SetContentType("application/json")
		ctx.SetBody(answer)
	}}
	panic(server.ListenAndServe(address))
}

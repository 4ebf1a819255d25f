package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestConnectionMemory: 4,000 connections from 20 addresses that announce the largest body and send one byte of it use a few
// kilobytes each and are closed after the read timeout.
func TestConnectionMemory(t *testing.T) {
	const addresses, each = 20, 200
	data, address := t.TempDir(), freeAddress(t)
	p := start(t, data, address)
	server := &target{process: p.Process, address: address, data: data}
	before := server.resident(t, "RssAnon")
	var conns []net.Conn
	for i := range addresses * each {
		conn := dialFrom(t, address, i%addresses)
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", shoptest.CreateOrderPath, address, 64<<10)
		conns = append(conns, conn)
	}
	peak := 0.0
	for _, conn := range conns {
		peak = max(peak, server.resident(t, "RssAnon"))
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Fatalf("a body that does not come: %v, %v", answer, err)
		}
	}
	t.Logf("%.0f MB before, %.0f MB with %d connections", before, peak, len(conns))
	if peak-before > 100 {
		t.Errorf("%.0f MB became %.0f with %d connections", before, peak, len(conns))
	}
}

// TestConnectionLimits: connections above a limit are refused with a Retry-After; a closed one makes room.
func TestConnectionLimits(t *testing.T) {
	address := freeAddress(t)
	start(t, t.TempDir(), address, "--connections", "30", "--client-connections", "20", "--trusted-proxies", "127.0.0.3/32")
	held := make(map[int][]net.Conn)
	hold := func(from, n int) int {
		t.Helper()
		for range n {
			if conn := dialFrom(t, address, from); served(t, conn) {
				held[from] = append(held[from], conn)
			}
		}
		return len(held[from])
	}
	if one, proxy := hold(1, 25), hold(2, 15); one != 20 || proxy != 10 {
		t.Errorf("one client holds %d of 20 connections, a proxy %d of the 10 that are left", one, proxy)
	}
	for _, conn := range held[1] {
		conn.Close()
	}
	shoptest.Eventually(t, "a proxy has all connections", func() bool { return hold(2, 1) == 30 })
	if hold(3, 1) != 0 {
		t.Error("a connection beyond all that there are")
	}
}

// dialFrom connects from the n-th loopback address.
func dialFrom(t *testing.T, address string, n int) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(n+1))}, Timeout: 30 * time.Second}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// served sends a request on a connection and reports whether it is served; a refusal must have a Retry-After.
func served(t *testing.T, conn net.Conn) bool {
	t.Helper()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	r := bufio.NewReader(conn)
	if _, err := fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", conn.RemoteAddr()); err != nil {
		return false
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return false // closed with our request unread
	}
	body, err := io.ReadAll(answer.Body)
	if answer.StatusCode == http.StatusServiceUnavailable {
		if answer.Header.Get("Retry-After") != "5" || !strings.Contains(string(body), `"code":"too-busy"`) || err != nil {
			t.Errorf("refused with %v %s", answer.Header, body)
		}
		return false
	}
	return answer.StatusCode == http.StatusOK
}

package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLogLimit: a message that comes all the time is logged so often and then counted; others are not concerned.
func TestLogLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(lockedBuffer)
		log := newLog(out)
		lines := func(text string) int { return strings.Count(out.String(), text) }
		for i := range 1000 {
			log.With("request", i).Info("credential refused", "reason", i)
		}
		log.Error("the database stops writing")
		if lines(`msg="credential refused"`) != logBurst || lines("stops writing") != 1 {
			t.Errorf("%d refusals and %d other records:\n%s", lines("credential refused"), lines("stops writing"), out)
		}
		time.Sleep(10 * time.Second)
		for range 1000 {
			log.Info("credential refused")
		}
		if lines(`msg="credential refused"`) != logBurst+10*logRate {
			t.Errorf("%d refusals after ten seconds", lines(`msg="credential refused"`))
		}
		time.Sleep(countSuppress)
		synctest.Wait()
		if want := fmt.Sprintf(`msg="log records suppressed" message="credential refused" count=%d`, 2000-logBurst-10*logRate); lines(want) != 1 {
			t.Errorf("no record %s:\n%s", want, out)
		}
	})
}

// TestCredentialRefusals: whoever sends bad credentials to the binary writes no log without end.
func TestCredentialRefusals(t *testing.T) {
	address, log := freeAddress(t), new(lockedBuffer)
	p := &program{Cmd: exec.Command(binary.path, "dev", "--data", t.TempDir(), "--listen", address)}
	p.Stderr = log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	eventually(t, "the server is ready", func() bool {
		answer, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
	began := time.Now()
	s := &shop{server: &server{Config: Config{PublicURL: "http://" + address}}}
	for range 1000 {
		if r := s.post(t, createOrderPath, "{}", bearer("none")); r.status != http.StatusUnauthorized {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	p.kill()
	most := logBurst + logRate*int(time.Since(began).Seconds()+1)
	if n := strings.Count(log.String(), "credential refused"); n < logBurst || n > most {
		t.Errorf("%d of 1000 refusals are logged, %d at most should be", n, most)
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestLogLimit: a message that comes all the time is logged so often and then counted; others are not concerned.
func TestLogLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(shoptest.Buffer)
		log := newLog(out, logSettings{})
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

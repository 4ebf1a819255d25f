package checkout

import (
	"reflect"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
)

// TestConsents: a sentence is asked for by country. Requests that mention consents need all of them, others only those that are
// always required.
func TestConsents(t *testing.T) {
	asked := []ConsentText{
		{Version: "eu", Text: "EU", Countries: []string{"EU", "GB"}},
		{Version: "de", Text: "DE", Countries: []string{"DE"}},
		{Version: "all", Text: "All", Always: true},
	}
	for _, c := range []struct {
		where   country.Code
		stated  bool
		agreed  []string
		given   []string
		missing int
	}{
		{"DE", true, []string{"eu", "de", "all"}, []string{"eu", "de", "all"}, 0},
		{"DE", true, []string{"all", "of another text"}, []string{"all"}, 2},
		{"DE", true, nil, nil, 3},
		{"GB", true, []string{"eu", "de", "all"}, []string{"eu", "all"}, 0},
		{"US", true, []string{"all"}, []string{"all"}, 0},
		{"DE", false, nil, nil, 1},
		{"US", false, nil, nil, 1},
	} {
		consents := Consents{Asked: asked, Agreed: c.agreed, Stated: c.stated}
		given, missing := consents.In(c.where, 7)
		var versions []string
		for _, g := range given {
			if versions = append(versions, g.Version); g.At != 7 || g.Text == "" {
				t.Errorf("%+v", g)
			}
		}
		if !reflect.DeepEqual(versions, c.given) || len(missing) != c.missing {
			t.Errorf("%s, %v: given %v, missing %v", c.where, c.agreed, versions, missing)
		}
	}
}

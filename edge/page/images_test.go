package page

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/sessions"
)

// TestImages: the images of a product are on the page with their alternative texts and a size, and the policy allows their origins only.
func TestImages(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) {
		session.Images = []sessions.Image{{URL: `https://cdn.northline.example/a.jpg?x="&y=1`, Alt: `The "cover"`}, {URL: "https://cdn.northline.example/b.jpg"},
			{URL: "https://img.northline.example/c.jpg"}, {URL: "https://evil;script-src *.example/d.jpg"}}
	})
	page := s.get(pageURL)
	body := string(page.Body())
	for _, want := range []string{`<img class="image" src="https://cdn.northline.example/a.jpg?x=%22&amp;y=1" alt="" width="40" height="40"`,
		`<img class="image" src="https://cdn.northline.example/a.jpg?x=%22&amp;y=1" alt="The &#34;cover&#34;" width="64" height="64"`,
		`<img class="image" src="https://cdn.northline.example/b.jpg" alt="" width="64" height="64"`} {
		if strings.Count(body, want) != 1 {
			t.Errorf("the page has %s %d times", want, strings.Count(body, want))
		}
	}
	if policy := string(page.Header.Peek("Content-Security-Policy")); !strings.Contains(policy,
		"; img-src 'self' data: https://cdn.northline.example https://img.northline.example; ") {
		t.Errorf("the policy is %s", policy)
	}
}

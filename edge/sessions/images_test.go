package sessions

import (
	"slices"
	"strconv"
	"testing"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// TestOpenImages: a session locks the first images of its version, and no videos.
func TestOpenImages(t *testing.T) {
	o := opening()
	v := o.Product.Test.Version
	v.Media = []catalog.Media{{Type: catalog.Video, URL: "https://cdn.example.com/film.mp4"}}
	for i := range maxImages + 1 {
		v.Media = append(v.Media, catalog.Media{Type: catalog.Image, URL: "https://cdn.example.com/" + strconv.Itoa(i), Alt: "Page " + strconv.Itoa(i)})
	}
	session, refused := Open(o, request())
	if refused != nil {
		t.Fatal(refused)
	}
	if len(session.Images) != maxImages || !slices.Contains(session.Images, Image{"https://cdn.example.com/7", "Page 7"}) {
		t.Errorf("locked %+v", session.Images)
	}
}

package durable

import "testing"

// TestUnquoted: Badger's messages are logged without the keys that they quote.
func TestUnquoted(t *testing.T) {
	for said, want := range map[string]string{
		"while opening file: /data/test/db/000001.vlog err: short":                      "while opening file: 000001.vlog err: short",
		"while running compactions for: {compactorId:1 [left=6162 right=63 inf=false]}": "while running compactions for: {compactorId:1 …",
		"Unable to read: Key: test/-/cs/cs_550e8400 Version: 3":                         "Unable to read: Key: …",
		"key 746573742f2d2f63732f63735f353530 is out of order":                          "key …",
		"Level validation err: Inter: Biggest(j-1)[3] \n00000000  74 65 73 74\n":        "Level validation err: Inter: Biggest(j-1)[3] …",
		"sync /data/test/db: input/output error\n":                                      "sync the directory: input/output error",
	} {
		if got := unquoted("/data/test/db", said); got != want {
			t.Errorf("%q is told as %q, want %q", said, got, want)
		}
	}
}

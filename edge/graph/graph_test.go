package graph

import "testing"

func TestSchema(t *testing.T) {
	New(Config{})
}

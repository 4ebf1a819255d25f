package badgerstore

// Visit shows every record whose key begins with prefix, in the order of their keys and as of one instant, until visit returns
// false. It is for inspection: keys and values are what doc.go says, and not to be relied on elsewhere.
func (db *DB) Visit(prefix string, visit func(key string, value []byte) bool) error {
	return db.scan(prefix, "", visit)
}

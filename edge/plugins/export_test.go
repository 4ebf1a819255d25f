package plugins

// Digest is a SHA-256 in hexadecimal.
func Digest(content []byte) string { return digest(content) }
